#!/bin/bash
# Fetches the real benchmark sets, prompt sets and the tokenizer into a folder, mirror by mirror,
# resuming what was cut off. A set that can't be fetched is told, and the others go on.
set -uo pipefail

usage() {
	cat <<'U'
Usage: download_datasets.sh [-d FOLDER] [SET...]
Fetches SETs (default: all) into FOLDER (default: data/full beside datasets.json).
Sets: gpqa aime ceval mmlu livecodebench leval sharegpt tokenizer
Needs curl, and unzip for gpqa, ceval, mmlu and livecodebench. Proxies are taken from the environment.
U
}

here=$(cd "$(dirname "$0")" && pwd)
folder=
for candidate in "$here/../data" "$here"; do
	[ -f "$candidate/datasets.json" ] && folder=$candidate/full && break
done
while getopts d:h option; do
	case $option in
	d) folder=$OPTARG ;;
	h) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$folder" ] || { usage >&2 && exit 2; }
command -v curl >/dev/null || { echo "curl is missing: apt-get install curl" >&2 && exit 2; }
cache=$folder/.cache
mkdir -p "$cache" || exit 2
failed=()

say() { printf '%s\n' "$*" >&2; }

# sound FILE md5:SUM|min:BYTES
sound() {
	case $2 in
	md5:*) [ "$(md5sum <"$1" | cut -d' ' -f1)" = "${2#md5:}" ] ;;
	min:*) [ "$(stat -c %s "$1")" -ge "${2#min:}" ] ;;
	esac
}

# fetch NAME CHECK URL...: into the cache; goes on where an earlier try was cut off.
fetch() {
	local name=$1 test=$2 url part=$cache/$1.part
	shift 2
	[ -f "$cache/$name" ] && sound "$cache/$name" "$test" && return 0
	for url in "$@"; do
		say "  $url"
		if curl -fL --retry 2 --connect-timeout 15 -C - -o "$part" "$url"; then
			if sound "$part" "$test"; then
				mv "$part" "$cache/$name"
				return 0
			fi
			say "  what came is not what was expected ($test); trying the next mirror"
		else
			say "  that did not work; trying the next mirror"
		fi
		rm -f "$part"
	done
	return 1
}

need_unzip() {
	command -v unzip >/dev/null || { say "  unzip is missing: apt-get install unzip" && return 1; }
}

mirror=https://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data

get_gpqa() {
	need_unzip || return 1
	mkdir -p "$folder/gpqa"
	# the archive's password stands in its project's README, to keep the questions out of crawls
	if fetch gpqa-dataset.zip min:500000 https://github.com/idavidrein/gpqa/raw/main/dataset.zip; then
		unzip -qojP deserted-untie-orchid "$cache/gpqa-dataset.zip" dataset/gpqa_diamond.csv -d "$folder/gpqa"
	else
		fetch gpqa.zip md5:2e9657959030a765916f1f2aca29140d "$mirror/gpqa.zip" &&
			unzip -qoj "$cache/gpqa.zip" '*gpqa_diamond.csv' -d "$folder/gpqa"
	fi && [ "$(wc -c <"$folder/gpqa/gpqa_diamond.csv")" -gt 100000 ]
}

get_aime() {
	mkdir -p "$folder/aime"
	if fetch aime24.jsonl min:10000 \
		https://raw.githubusercontent.com/QwenLM/Qwen2.5-Math/main/evaluation/data/aime24/test.jsonl; then
		cp "$cache/aime24.jsonl" "$folder/aime/aime2024.jsonl"
	else
		need_unzip && fetch aime.zip md5:fbe2d0577fc210962a549f8cea1a00c8 "$mirror/aime.zip" &&
			unzip -qojp "$cache/aime.zip" '*.jsonl' >"$folder/aime/aime2024.jsonl"
	fi && [ "$(grep -c . "$folder/aime/aime2024.jsonl")" -eq 30 ]
}

get_ceval() {
	need_unzip || return 1
	mkdir -p "$folder/ceval"
	if fetch ceval-exam.zip min:1000000 \
		https://huggingface.co/datasets/ceval/ceval-exam/resolve/main/ceval-exam.zip \
		https://modelscope.cn/datasets/opencompass/ceval-exam/resolve/master/ceval-exam.zip; then
		unzip -qo "$cache/ceval-exam.zip" -d "$folder/ceval"
	else
		fetch ceval.zip md5:3889202085aebd28b596b98bee43e1aa "$mirror/ceval.zip" &&
			unzip -qo "$cache/ceval.zip" -d "$cache/ceval" &&
			cp -r "$(dirname "$(find "$cache/ceval" -type d -name val | head -1)")/." "$folder/ceval"
	fi || return 1
	fetch subject_mapping.json min:1000 \
		https://raw.githubusercontent.com/hkust-nlp/ceval/main/subject_mapping.json &&
		cp "$cache/subject_mapping.json" "$folder/ceval"
	[ "$(find "$folder/ceval/val" -name '*_val.csv' | wc -l)" -eq 52 ]
}

get_mmlu() {
	need_unzip || return 1
	mkdir -p "$folder/mmlu"
	fetch mmlu.zip md5:761310671509a239e41c4b717f7fab9c "$mirror/mmlu.zip" &&
		unzip -qo "$cache/mmlu.zip" -d "$cache/mmlu" &&
		cp -r "$(dirname "$(find "$cache/mmlu" -type d -name test | head -1)")/." "$folder/mmlu" &&
		[ "$(find "$folder/mmlu/test" -name '*_test.csv' | wc -l)" -eq 57 ]
}

get_livecodebench() {
	need_unzip || return 1
	mkdir -p "$folder/livecodebench"
	fetch code_generation_lite.zip md5:d301829ca76ec42edabfe31581388da6 "$mirror/code_generation_lite.zip" &&
		unzip -qoj "$cache/code_generation_lite.zip" '*.jsonl' -d "$folder/livecodebench"
}

get_leval() {
	local task base=https://raw.githubusercontent.com/OpenLMLab/LEval/main/LEval-data
	mkdir -p "$folder/leval"
	for task in coursera tpo sci_fi; do
		fetch leval-$task.jsonl min:100000 "$base/Closed-ended-tasks/$task.jsonl" \
			"https://huggingface.co/datasets/L4NLP/LEval/resolve/main/LEval/Exam/$task.jsonl" || return 1
		cp "$cache/leval-$task.jsonl" "$folder/leval/$task.jsonl"
	done
}

get_sharegpt() {
	mkdir -p "$folder/sharegpt"
	fetch sharegpt_gpt4.jsonl min:50000000 \
		https://huggingface.co/datasets/shibing624/sharegpt_gpt4/resolve/main/sharegpt_gpt4.jsonl \
		https://hf-mirror.com/datasets/shibing624/sharegpt_gpt4/resolve/main/sharegpt_gpt4.jsonl &&
		cp "$cache/sharegpt_gpt4.jsonl" "$folder/sharegpt"
}

get_tokenizer() {
	mkdir -p "$folder/tokenizer/deepseek-ai/DeepSeek-R1"
	fetch tokenizer.json min:7000000 \
		https://huggingface.co/deepseek-ai/DeepSeek-R1/resolve/main/tokenizer.json \
		https://modelscope.cn/models/deepseek-ai/DeepSeek-R1/resolve/master/tokenizer.json \
		https://hf-mirror.com/deepseek-ai/DeepSeek-R1/resolve/main/tokenizer.json &&
		cp "$cache/tokenizer.json" "$folder/tokenizer/deepseek-ai/DeepSeek-R1"
}

[ $# -gt 0 ] || set -- gpqa aime ceval mmlu livecodebench leval sharegpt tokenizer
for set in "$@"; do
	if ! declare -F "get_$set" >/dev/null; then
		say "$set: no such set"
		usage >&2
		exit 2
	fi
	say "$set:"
	if "get_$set"; then
		say "$set: ready in $folder"
	else
		say "$set: could not be fetched from any mirror; check the network or https_proxy and run again"
		failed+=("$set")
	fi
done
[ ${#failed[@]} -eq 0 ] && exit 0
say "missing: ${failed[*]}"
exit 1
