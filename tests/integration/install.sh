#!/bin/bash
# Installed under a prefix, moved away, and a provider built outside the tree.
. "$top_srcdir/tests/integration/lib.sh"

check "make install DESTDIR" make -C "$top_builddir" -s install DESTDIR="$work/stage"
prefix=$(sed -n 's/^prefix = //p' "$top_builddir/Makefile")
stage=$work/stage$prefix
unset DSR_PLUGIN_PATH
check "the staged program finds its plugins and data" bash -c \
	"'$stage/bin/dsr-run' plugins --format json | jq -e '(.loaded | length) == 25 and .refused == []'"
check "and tells a sound doctor's report" exits 0 "$stage/bin/dsr-run" doctor
check "its libdsr is the staged one" bash -c "ldd '$stage/bin/dsr-run' | grep libdsr | grep -q '$work/stage'"
check "only what is public is exported" bash -c "! nm -D --defined-only '$stage'/lib/libdsr.so.0 | awk '{print \$3}' | grep -v '^dsr_'"

mkdir -p "$work/outside" "$work/config" "$work/data"
cat >"$work/outside/acme.c" <<'C'
#include <dsr/provider.h>
static int build(void *state, const struct dsr_chat *chat, struct dsr_http_request *request,
                 struct dsr_error *err)
{
    int rc = dsr_openai_build(state, chat, request, err);
    return rc ? rc : dsr_http_request_set_header(request, "X-Acme", "1");
}
static const struct dsr_provider_ops ops = {
    sizeof ops, dsr_openai_open, build, dsr_openai_on_event, dsr_openai_classify, dsr_openai_close};
const struct dsr_plugin dsr_plugin = {
    DSR_ABI, sizeof dsr_plugin, DSR_KIND_PROVIDER, "acme", "1", "outside", "MIT", &ops};
C
outside_ok() {
	export PKG_CONFIG_PATH=$stage/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/stage
	local flags
	flags=$(PKG_CONFIG_SYSROOT_DIR="$work/stage" pkg-config --cflags --libs dsr |
		sed "s#-I$work/stage/usr/include/#-I/usr/include/#g")
	# shellcheck disable=SC2086
	$CC ${HARDEN_CFLAGS:-} -Wall -Wextra -shared -fPIC "$work/outside/acme.c" $flags -o "$work/outside/acme.so"
}
check "a provider builds against dsr.pc outside the tree" outside_ok
start_sim '{"defaults": {"ttft_ms": 20, "itl_ms": 1}}'
jq '{"deepseek-r1": {acme: (.["deepseek-r1"].together + {plugin: "acme"})}}' "$work/data/services.json" >"$work/s.json"
mv "$work/s.json" "$work/data/services.json"
echo '{"acme": {"default": "env:DSR_SIM_KEY"}}' >"$work/config/api_keys.json"
acme_ok() {
	exits 0 "$stage/bin/dsr-run" -q --config "$work/config" --data "$work/data" \
		--plugin-dir "$work/outside" perf --format json
	json '.providers[0] | .provider == "acme" and .success == 1'
}
check "dropped into --plugin-dir it works" acme_ok
check "the man page is installed" test -s "$stage/share/man/man1/dsr-run.1"
check "make uninstall leaves no file" bash -c "make -C '$top_builddir' -s uninstall DESTDIR='$work/stage' &&
	[ -z \"\$(find '$work/stage' -type f -o -type l)\" ]"
