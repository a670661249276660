#!/bin/bash
# Real bad plugins, built here, and what the loader says of them.
. "$top_srcdir/tests/integration/lib.sh"

good=$top_srcdir/tests/bad/plugin.c
build() { # NAME FLAG...
	local name=$1
	shift
	# shellcheck disable=SC2086
	$CC ${HARDEN_CFLAGS:-} -shared -fPIC -I"$top_srcdir/include" $(pkg-config --cflags jansson) \
		"$@" "$good" -o "$work/plugins/$name.so"
}
mkdir -p "$work/plugins" "$work/open"
chmod 755 "$work/plugins"
check "a good plugin is built" build good
check "wrong ABI is built" build abi -DABI=99
check "short table is built" build short -DOPS_SIZE=16
check "short plugin table is built" build tiny -DSIZE=8
check "missing member is built" build member -DCLOSE=NULL
check "missing operations are built" build noops -DOPS=NULL
check "bad name is built" build name '-DNAME="../evil"'
check "unknown kind is built" build kind -DKIND=77
check "another of the same name is built" build zz_double
check "no symbol is built" build symbol -DSYMBOL=other
echo "this is no ELF file" >"$work/plugins/text.so"
: >"$work/plugins/empty.so"
mkdir "$work/plugins/folder.so"
cp "$work/plugins/good.so" "$work/plugins/writable.so"
chmod 666 "$work/plugins/writable.so"
cp "$work/plugins/good.so" "$work/open/inside.so"
chmod 777 "$work/open"

# without the build tree's plugins on the path
unset DSR_PLUGIN_PATH
list() { exits 0 "$run" --plugin-dir "$work/plugins" --plugin-dir "$work/open" plugins --format json; }
check "all are listed without a crash" list
cp "$work/out" "$work/list.json"
refused() { # FILE REASON
	jq -e --arg f "/$1.so" --arg r "$2" \
		'[.refused[] | select(.file | endswith($f)) | .reason | contains($r)] == [true]' \
		"$work/list.json"
}
check "the good one is loaded" jq -e '[.loaded[] | select(.name == "good") | .kind == "router" and
	.abi == 1 and (.file | endswith("/good.so"))] == [true]' "$work/list.json"
check "wrong ABI is refused" refused abi "wrong ABI"
check "a short table is refused" refused short "too short"
check "a short plugin table is refused" refused tiny "too short"
check "a missing member is refused by name" refused member '"close" is missing'
check "missing operations are refused" refused noops "operations is missing"
check "a bad name is refused" refused name "its name"
check "an unknown kind is refused" refused kind "unknown kind"
check "the second of a name is refused and the first named" refused zz_double "already loaded from"
check "no symbol is refused" refused symbol 'no symbol "dsr_plugin"'
check "what is no ELF file is refused" refused text "can't be loaded"
check "an empty file is refused" refused empty "can't be loaded"
check "a folder is refused" refused folder "not a regular file"
check "a file that everybody may write is refused" refused writable "written by everybody"
check "a folder that everybody may write is refused" refused inside "folder can be written"
check "the program's own plugins are found beside" jq -e '.loaded | map(.kind) | unique |
	. == ["evaluator", "promptgen", "provider", "router", "store"]' "$work/list.json"
check "a refused plugin that is asked for tells the reason" says 2 "was refused: wrong ABI" \
	"$run" --plugin-dir "$work/plugins" grade --evaluator abi --input /dev/null
shadow() {
	cp "$work/plugins/good.so" "$work/plugins/requirement.so"
	build requirement '-DNAME="requirement"' &&
		exits 0 "$run" --plugin-dir "$work/plugins" plugins --format json &&
		json --arg d "$work/plugins/requirement.so" \
			'[.loaded[] | select(.name == "requirement") | .file] == [$d]'
}
check "the first on the path wins" shadow
