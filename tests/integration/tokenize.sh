#!/bin/bash
# Tokens as Hugging Face's tokenizers count them: needs the conformance data.
. "$top_srcdir/tests/integration/lib.sh"

file=${DSR_CONFORMANCE_DIR:-/nonexistent}/tokenizer/tokenizer-deepseek_v3.json.gz
if [ ! -f "$file" ]; then
	skip "token vectors" "DSR_CONFORMANCE_DIR names no folder with a tokenizer"
	exit
fi
gunzip -c "$file" >"$work/tokenizer.json"
cat >"$work/models.json" <<'J'
{"r1": {"name": "R1", "tokenizer": "tokenizer.json", "chat_template": "deepseek-r1"}, "v3": {"name": "V3", "tokenizer": "tokenizer.json"}}
J
vectors=$DSR_CONFORMANCE_DIR/tokenizer
texts_ok() { # MODEL KEY
	jq -c "select(.$2) | {text}" "$vectors/tokenizer_vectors_visible.jsonl" >"$work/in.jsonl"
	exits 0 "$run" --data "$work" tokenize --model "$1" --input "$work/in.jsonl" || return 1
	jq -c "select(.$2) | .$2" "$vectors/tokenizer_vectors_visible.jsonl" | diff - <(jq -c .ids "$work/out") | head -c 600
	[ "$(jq -c .ids "$work/out" | wc -l)" -gt 0 ] &&
		jq -c "select(.$2) | .$2" "$vectors/tokenizer_vectors_visible.jsonl" | cmp - <(jq -c .ids "$work/out")
}
check "every vector has its ids" texts_ok v3 ids
check "and with R1's think tags" texts_ok r1 ids_r1
counts_ok() {
	jq -c '{text}' "$vectors/tokenizer_vectors_visible.jsonl" >"$work/in.jsonl"
	exits 0 "$run" --data "$work" tokenize --model v3 --input "$work/in.jsonl" || return 1
	jq -c .n "$vectors/tokenizer_vectors_visible.jsonl" | cmp - <(jq -c .n "$work/out")
}
check "and its count" counts_ok
chats_ok() { # MODEL KEY
	jq -c '{messages}' "$vectors/chat_vectors_visible.jsonl" >"$work/in.jsonl"
	exits 0 "$run" --data "$work" tokenize --model "$1" --input "$work/in.jsonl" || return 1
	jq -c ".$2" "$vectors/chat_vectors_visible.jsonl" | cmp - <(jq -c .n "$work/out")
}
check "chats are counted in R1's layout" chats_ok r1 n_r1
check "and in V3's" chats_ok v3 n_v3
whole_ok() {
	printf 'Hello\nworld' | exits 0 "$run" --data "$work" tokenize --model v3 || return 1
	json '.n == 3'
}
check "a pipe of text is one text" whole_ok
check "what was compiled is kept beside the file" test -s "$work/tokenizer.json.compiled"
echo '{"messages": [{"role": "nobody", "content": "x"}]}' >"$work/in.jsonl"
check "a bad line is told" says 2 "in.jsonl:1: expected" "$run" --data "$work" tokenize --model v3 --input "$work/in.jsonl"
check "a missing tokenizer is told" says 2 "download_datasets.sh tokenizer" "$run" tokenize
