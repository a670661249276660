#!/bin/bash
# Installed under a prefix, moved away, and a provider built outside the tree.
. "$top_srcdir/tests/integration/lib.sh"

check "make install DESTDIR" make -C "$top_builddir" -s install DESTDIR="$work/stage"
prefix=$(sed -n 's/^prefix = //p' "$top_builddir/Makefile")
stage=$work/stage$prefix
unset DSR_PLUGIN_PATH
check "the staged program finds its plugins and data" bash -c \
	"'$stage/bin/dsr-run' plugins --format json | jq -e '(.loaded | length) == 29 and .refused == []'"
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
# projects of all kinds from their templates, in C and C++, against what is installed
export LC_ALL=C.UTF-8
cat >"$work/pkg-config" <<S
#!/bin/sh
PKG_CONFIG_PATH='$stage/lib/pkgconfig' exec pkg-config --define-variable=prefix='$stage' "\$@"
S
chmod +x "$work/pkg-config"
project_ok() { # KIND NAME [--cxx]
	local flags="-O1 -g -Wall -Wextra -Werror ${HARDEN_CFLAGS:-}"
	exits 0 "$stage/bin/dsr-run" -q plugin new --kind "$1" ${3:-} --folder "$work/$2" "$2" || return 1
	local to=(-s -C "$work/$2" PKG_CONFIG="$work/pkg-config" CC="$CC" CFLAGS="$flags" CXXFLAGS="$flags"
		LDFLAGS="-Wl,-rpath,$stage/lib" DSR_RUN="$stage/bin/dsr-run" DSR_SIM="$stage/bin/dsr-sim")
	env -u MAKEFLAGS -u MFLAGS make "${to[@]}" && env -u MAKEFLAGS -u MFLAGS make "${to[@]}" check
}
for kind in provider evaluator promptgen router store; do
	check "a new $kind in C builds, passes and runs" project_ok $kind own-$kind
	if command -v g++ >/dev/null; then
		check "a new $kind in C++ builds, passes and runs" project_ok $kind own-$kind-cxx --cxx
	else
		skip "a new $kind in C++ builds, passes and runs" "no C++ compiler"
	fi
done
check "nothing is overwritten" says 2 "can't be made" "$stage/bin/dsr-run" plugin new --kind store --folder "$work/own-store" x
check "a name that is none is refused" says 2 "letter" "$stage/bin/dsr-run" plugin new --kind store ../x
check "a kind that is none is refused" says 2 "--kind is" "$stage/bin/dsr-run" plugin new --kind stone x
check "a check names no file" says 2 "which file" "$stage/bin/dsr-run" plugins check
cat >"$work/outside/rough.c" <<'C'
#include <dsr/promptgen.h>
#include <stdlib.h>
static int calls;
static void *open_it(const json_t *config, const char *path, const struct dsr_host *host, struct dsr_error *err)
{
	(void)config, (void)host, (void)err;
	return path ? NULL : malloc(100); /* no reason given, and close forgets the memory */
}
static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
	char text[2] = {(char)('a' + ++calls % 26), 0};
	(void)state, (void)rng, (void)err;
	if (limits->min_input_tokens)
		abort();
	return dsr_chat_add(chat, "user", text, 1);
}
static void close_it(void *state) { (void)state; }
static const struct dsr_promptgen_ops ops = {sizeof ops, open_it, generate, close_it};
const struct dsr_plugin dsr_plugin = {DSR_ABI, sizeof dsr_plugin, DSR_KIND_PROMPTGEN, "rough", "1", "bad", "MIT", &ops};
C
rough_ok() {
	# shellcheck disable=SC2086
	$CC -shared -fPIC "$work/outside/rough.c" $("$work/pkg-config" --cflags --libs dsr) -o "$work/outside/rough.so" || return 1
	exits 1 "$stage/bin/dsr-run" -q plugins check "$work/outside/rough.so" --format json
	json '[.checks[] | select(.result == "failed") | .detail] |
		any(contains("empty message") or contains("without an error code")) and
		any(contains("other prompts")) and any(contains("crashed"))' &&
		json '[.checks[].check] | length == 6 and last == "open, generate and close keep no memory"' # after the crash
}
check "a rough plugin is found out, and does no harm" rough_ok
check "the man page is installed" test -s "$stage/share/man/man1/dsr-run.1"
check "make uninstall leaves no file" bash -c "make -C '$top_builddir' -s uninstall DESTDIR='$work/stage' &&
	[ -z \"\$(find '$work/stage' -type f -o -type l)\" ]"
