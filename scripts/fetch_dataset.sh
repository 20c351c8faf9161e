#!/usr/bin/env bash
# Puts a public corpus into datasets/NAME in the form the configs expect, and verifies it against datasets/NAME.toml.
#
#   fetch_dataset.sh                         list the corpora
#   fetch_dataset.sh NAME                    verify datasets/NAME, or say where the files are to be had
#   fetch_dataset.sh NAME SOURCE             take the files from SOURCE: a folder, or a .zip, .tar, .tar.gz or .tgz archive
#   fetch_dataset.sh --any-version NAME SOURCE   only warn where rows or checksums differ from the manifest
#
# Nothing is downloaded: licences and download forms differ, so a user fetches the corpus and this script does the rest.
# Needs bash, awk, find, sort, iconv, and sha256sum or shasum.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
datasets=$root/datasets
work=

fail() { printf 'error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf ' hint: %s\n' "$2" >&2; exit 1; }
clean() { [ -z "$work" ] || rm -rf "$work"; }
trap clean EXIT

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# The value of a top-level `key = "value"` line of the manifest.
value() { awk -v key="$1" '/^\[/ { exit } $1 == key && $2 == "=" { sub(/^[^"]*"/, ""); sub(/"[^"]*$/, ""); print; exit }' "$manifest"; }

# One line `path rows sha256` for each [[files]] table of the manifest.
expected() {
  awk '/^\[/ { inside = ($0 == "[[files]]") }
       inside && $2 == "=" { gsub(/"/, "", $3); v[$1] = $3; if ($1 == "sha256") print v["path"], v["rows"], v["sha256"] }' "$manifest"
}

# Rows and checksum of a file with a header line, or of a folder of text files (over the sorted list of checksums).
measure() {
  if [ -d "$1" ]; then
    (cd "$1" && find . -type f -name '*.txt' | sort | tr '\n' '\0' > "$work/list" && tr -dc '\0' < "$work/list" | wc -c | tr -d ' '
     if command -v sha256sum >/dev/null; then xargs -0 sha256sum < "$work/list"; else xargs -0 shasum -a 256 < "$work/list"; fi | sha256 | cut -d' ' -f1) | paste -sd' ' -
  else
    printf '%s %s\n' "$(awk 'END { print NR - 1 }' "$1")" "$(sha256 "$1" | cut -d' ' -f1)"
  fi
}

verify() { # DIR
  local path rows sum got_rows got_sum wrong=0
  while read -r path rows sum; do
    if [ ! -e "$1/$path" ]; then echo "  $path: missing" >&2; wrong=1; continue; fi
    read -r got_rows got_sum < <(measure "$1/$path")
    if [ "$got_rows" != "$rows" ]; then echo "  $path: $got_rows rows, expected $rows" >&2; wrong=1
    elif [ "$got_sum" != "$sum" ]; then echo "  $path: $rows rows as expected, but other contents (sha256 $got_sum)" >&2; wrong=1
    else echo "  $path: $rows rows, checksum right"; fi
  done < <(expected)
  return $wrong
}

# The one file under $source whose path ends in one of the given names; earlier names win.
locate() {
  local name found
  for name in "$@"; do
    found=$(find "$source" -path "*/$name" | sort)
    [ -n "$found" ] || continue
    [ "$(printf '%s\n' "$found" | wc -l)" -eq 1 ] || fail "several \`$name\` under \`$source\`: $(echo $found)" "name the folder that holds the right one"
    printf '%s\n' "$found"
    return
  done
  fail "no \`$1\` under \`$source\`" "$(value get)"
}

# Each prepare_NAME writes into $made what the manifest lists.

sst2_file() { # FROM TO: any order of the columns, `sentence` or `content`, with or without carriage returns
  awk -F'\t' '
    { sub(/\r$/, "") }
    NR == 1 { for (i = 1; i <= NF; i++) { if ($i == "label") l = i; if ($i == "sentence" || $i == "content") t = i }
              if (!l || !t) exit 1; print "label\tsentence"; next }
    { gsub(/^ +| +$/, "", $t); print $l "\t" $t }' "$1" > "$2" ||
    fail "\`$1\` has no columns \`label\` and \`sentence\`" "the test file that GLUE offers has no labels: take the labelled 1,821 test sentences of the Stanford release"
}
prepare_sst2() {
  local split from
  for split in train dev test; do
    from=$(locate "glue/$split.tsv" "SST-2/$split.tsv" "$split.tsv")
    sst2_file "$from" "$made/$split.tsv"
  done
}

prepare_imdb() {
  local from split label
  from=$(dirname "$(dirname "$(locate aclImdb/train/pos train/pos)")")
  for split in train test; do
    for label in neg pos; do
      [ -d "$from/$split/$label" ] || fail "no folder \`$from/$split/$label\`" "$(value get)"
      mkdir -p "$made/$split"
      cp -R "$from/$split/$label" "$made/$split/$label"
    done
  done
}

prepare_ag_news() {
  cp "$(locate derived/train_29k.csv train_29k.csv train.csv)" "$work/train.csv"
  cp "$(locate derived/test_7600.csv test_7600.csv test.csv)" "$work/test.csv"
  local split
  for split in train test; do
    # Either `label,text[,source]` with a header, or the published form: "class","title","description" without one.
    awk '
      function field(   c, out) { # the next field of `rest`, unquoted
        if (substr(rest, 1, 1) != "\"") { match(rest, /^[^,]*/); out = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 2); return out }
        rest = substr(rest, 2); out = ""
        while (match(rest, /"/)) {
          out = out substr(rest, 1, RSTART - 1); c = substr(rest, RSTART + 1, 1); rest = substr(rest, RSTART + 1)
          if (c != "\"") { rest = substr(rest, 2); return out }
          out = out "\""; rest = substr(rest, 2)
        }
        return out rest
      }
      { sub(/\r$/, ""); rest = $0 }
      NR == 1 { print "label,text"; if ($0 ~ /^label,text/) { joined = 1; next } }
      { label = field(); text = field(); if (!joined) text = text " " field(); gsub(/"/, "\"\"", text); print label ",\"" text "\"" }
    ' "$work/$split.csv" > "$made/$split.csv"
  done
}

prepare_trec() {
  local split from
  for split in train test; do
    if [ $split = train ]; then from=$(locate sent-conv-raw/TREC.train TREC.train train_5500.label); else from=$(locate sent-conv-raw/TREC.test TREC.test TREC_10.label); fi
    # "COARSE:fine question", in Latin-1.
    iconv -f ISO-8859-1 -t UTF-8 "$from" | awk '
      BEGIN { print "label\tfine\ttext" }
      { sub(/\r$/, ""); space = index($0, " "); tag = substr($0, 1, space - 1); split(tag, part, ":")
        print part[1] "\t" tag "\t" substr($0, space + 1) }' > "$made/$split.tsv"
  done
}

prepare_sms_spam() {
  # No split is published. Of each label's distinct messages, in file order, every fifth goes to the test file;
  # repeats follow their first occurrence, so that no message is in both files.
  awk -F'\t' -v train="$made/train.tsv" -v test="$made/test.tsv" '
    BEGIN { print "label\ttext" > train; print "label\ttext" > test }
    { sub(/\r$/, ""); key = $0; if (!(key in to)) to[key] = (++n[$1] % 5 == 0) ? test : train; print > to[key] }
  ' "$(locate SMSSpamCollection SMSSpamCollection.txt)"
}

any_version=0
if [ "${1-}" = --any-version ]; then any_version=1; shift; fi
case "${1-}" in
  -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"; exit ;;
  "") for manifest in "$datasets"/*.toml; do printf '%-12s %s\n' "$(basename "$manifest" .toml)" "$(value title)"; done; exit ;;
esac
name=$1
manifest=$datasets/$name.toml
case "$name" in */*) fail "\`$name\` is not a corpus name" ;; esac
[ -f "$manifest" ] || fail "no manifest \`datasets/$name.toml\`" "run this script without arguments for the list"
work=$(mktemp -d)

if [ $# -lt 2 ]; then
  if [ -d "$datasets/$name" ]; then
    echo "datasets/$name:"
    verify "$datasets/$name" || fail "\`datasets/$name\` is not as datasets/$name.toml says" "$(value get)"
    exit
  fi
  printf '%s\n  homepage  %s\n  licence   %s\n  get       %s\nthen: scripts/fetch_dataset.sh %s FOLDER_OR_ARCHIVE\n' \
    "$(value title)" "$(value homepage)" "$(value licence)" "$(value get)" "$name"
  exit 1
fi

declare -F "prepare_$name" >/dev/null || fail "\`$name\` is not fetched" "$(value get)"
source=$2
if [ -f "$source" ]; then
  mkdir "$work/unpacked"
  case "$source" in
    *.zip) command -v unzip >/dev/null || fail "\`unzip\` is not installed" "unpack \`$source\` yourself and name the folder"
           unzip -q "$source" -d "$work/unpacked" ;;
    *.tar | *.tar.gz | *.tgz) tar -xf "$source" -C "$work/unpacked" ;;
    *) fail "\`$source\` is neither a folder nor a .zip, .tar, .tar.gz or .tgz archive" ;;
  esac
  source=$work/unpacked
elif [ -d "$source" ]; then
  source=$(cd "$source" && pwd)
else
  fail "\`$source\` does not exist"
fi

# Made beside its final place, so that the last move cannot be half done.
mkdir -p "$datasets"
made=$datasets/$name.part
rm -rf "$made"
mkdir "$made"
trap 'rm -rf "$made"; clean' EXIT
"prepare_$name"
echo "datasets/$name:"
if ! verify "$made"; then
  [ $any_version = 1 ] || fail "\`$2\` is not the version of \`$name\` that datasets/$name.toml describes; nothing was kept" "\`--any-version\` keeps it all the same; published figures may then not apply"
  echo "warning: kept all the same; published figures may not apply" >&2
fi
rm -rf "${datasets:?}/$name"
mv "$made" "$datasets/$name"
