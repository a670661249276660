#!/bin/bash
# Servers that are not ours: nginx with TLS, HTTP/2, gzip, plain answers, errors, proxies.
. "$top_srcdir/tests/integration/lib.sh"

nginx=$(PATH=$PATH:/usr/sbin command -v nginx)
if [ -z "$nginx" ] || ! command -v openssl >/dev/null; then
	skip "foreign servers" "nginx or openssl is not installed"
	exit
fi
mkdir -p "$work/www" "$work/config" "$work/data" "$work/tmp"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout "$work/ca.key" \
	-out "$work/ca.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$work/server.key" \
	-out "$work/server.csr" 2>/dev/null
openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial \
	-days 2 -extfile <(echo subjectAltName=DNS:localhost,IP:127.0.0.1) -out "$work/server.pem" 2>/dev/null

printf '\xef\xbb\xbf: hello\r\n\r\ndata: {"choices":[{"delta":{"role":"assistant","content":""}}]}\r\n\r\ndata: {"choices":[{"delta":\r\ndata: {"content":"one two"}}]}\r\n\r\ndata: {"choices":[{"delta":{},"finish_reason":"stop"}]}\r\n\r\ndata: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\r\n\r\ndata: [DONE]\r\n\r\n' >"$work/www/stream"
cat >"$work/www/plain" <<'J'
{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"<think>hm</think>yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}
J
printf 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n' >"$work/www/cut"
printf 'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\n' >"$work/www/nodone"
: >"$work/www/empty"
echo '<html>hello</html>' >"$work/www/html"
nginx_pid=
trap '[ -z "$nginx_pid" ] || { kill $nginx_pid; wait $nginx_pid; } 2>/dev/null; finish' EXIT
write_conf() {
	cat >"$work/nginx.conf" <<N
$([ "$(id -u)" -ne 0 ] || echo "user root;") # the checkout of root may be closed to others
daemon off; worker_processes 1; error_log $work/nginx.err; pid $work/nginx.pid;
events { worker_connections 256; }
http {
	access_log $work/access.log combined; client_body_temp_path $work/tmp; proxy_temp_path $work/tmp/p;
	fastcgi_temp_path $work/tmp/f; uwsgi_temp_path $work/tmp/u; scgi_temp_path $work/tmp/s;
	log_format proto '\$uri \$server_protocol \$ssl_protocol "\$http_accept_encoding" \$sent_http_content_encoding \$connection';
	gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;
	server {
		listen 127.0.0.1:$port ssl http2; server_name localhost;
		ssl_certificate $work/server.pem; ssl_certificate_key $work/server.key;
		access_log $work/proto.log proto;
		root $work/www; error_page 405 =200 \$uri;
		location ~ ^/(stream|nodone|cut|empty)/chat/completions\$ {
			default_type text/event-stream; error_page 405 =200 /\$1; try_files /\$1 =404;
		}
		location ~ ^/(plain|html)/chat/completions\$ {
			default_type application/json; error_page 405 =200 /\$1; try_files /\$1 =404;
		}
		location / { default_type text/event-stream; }
		location = /plain { default_type application/json; }
		location = /echo/chat/completions {
			return 401 '{"error":{"message":"wrong key \$http_authorization"}}';
		}
		location = /redirect/chat/completions { return 302 /stream; }
	}
	server { listen 127.0.0.1:$((port + 1)); location / { return 502 "via the proxy"; } }
}
N
}

# two free ports, below those that the kernel gives away
start_nginx() {
	local try
	for try in 1 2 3 4 5 6 7 8; do
		port=$((10000 + (RANDOM * 2) % 20000))
		write_conf
		"$nginx" -p "$work" -c "$work/nginx.conf" 2>/dev/null &
		nginx_pid=$!
		sleep 0.5
		kill -0 $nginx_pid 2>/dev/null && curl -sk "https://127.0.0.1:$port/plain" | grep -q chat.completion &&
			return 0
		kill $nginx_pid 2>/dev/null
		wait $nginx_pid 2>/dev/null
	done
	return 1
}
check "nginx is started" start_nginx

jq -n --arg u "https://localhost:$port" --arg ca "$work/ca.pem" '
	[["stream","nodone","cut","empty","plain","html","redirect","echo"][] |
		{key: ., value: {plugin: "openai", base_url: "\($u)/\(.)", model: "m", max_concurrency: 2,
			ca_file: $ca, reasoning_inline: true}}] +
	[{key: "untrusted", value: {plugin: "openai", base_url: "\($u)/stream", model: "m"}},
	 {key: "nowhere", value: {plugin: "openai", base_url: "https://no-such-host.invalid/v1", model: "m"}}] |
	{"deepseek-r1": from_entries}' >"$work/data/services.json"
echo '{"openai": {"default": "key-that-is-secret"}}' >"$work/config/api_keys.json"
echo '{"conn_str": "leveldb:///../results/db"}' >"$work/config/db.json"

one() { # PROVIDER STATUS CONDITION
	exits "$2" dsr -q perf -p "$1" --prompts leval -n 2 --format json && json ".providers[0] | $3"
}
check "CRLF, BOM, comments, split data and usage over TLS with a private CA" one stream 0 \
	'.success == 1 and .metrics.otpr.avg == 2 and .token_source == "billed"'
check "HTTP/2 is spoken where it is offered" grep -q "/stream HTTP/2.0 TLSv1" "$work/proto.log"
check "a connection is used again" bash -c "[ \$(awk '\$1 == \"/stream\" {print \$NF}' '$work/proto.log' | sort -u | wc -l) -eq 1 ]"
check "a plain JSON answer to a stream request, gzip on" one plain 0 '.success == 1 and .metrics.otpr.avg == 3'
check "nginx did compress" grep -q '^/plain .* gzip ' "$work/proto.log"
check "a stream without [DONE] but with finish_reason is whole" one nodone 0 '.success == 1'
check "a stream without either is cut" one cut 1 '.errors == {"cut": 2}'
check "an empty body is cut" one empty 1 '.errors == {"cut": 2}'
check "a page is malformed or cut" one html 1 '.success == 0'
echo_ok() {
	exits 1 dsr -v perf -p echo --prompts leval -n 1 --output both --format json || return 1
	grep -q '"http_401": 1' "$work/out" || return 1
	! grep -rlF key-that-is-secret "$work/out" "$work/err" "$work/results" "$work/state"
}
check "a server that repeats the key does not bring it into records" echo_ok
check "redirects are not followed" one redirect 1 '.errors == {"http_302": 2}'
check "an unknown CA is refused" one untrusted 1 '.errors == {"tls": 2}'
check "a CA from the environment is taken" env SSL_CERT_FILE="$work/ca.pem" bash -c \
	"'$run' -q --config '$work/config' --data '$work/data' perf -p untrusted --prompts leval -n 1"
check "a name that does not exist" one nowhere 1 '.errors == {"dns": 2}'
check "the proxy of the environment is used" env http_proxy="http://127.0.0.1:$((port + 1))" no_proxy= bash -c "
	sed 's#https://no-such-host.invalid#http://no-such-host.invalid#' '$work/data/services.json' >'$work/services' && cp '$work/services' '$work/data/services.json'
	'$run' -q --config '$work/config' --data '$work/data' perf -p nowhere --prompts leval -n 1 --format json | jq -e '.providers[0].errors == {\"http_502\": 1}'"
