#!/usr/bin/env bash
# Puts a public corpus into datasets/NAME in the form the configs expect, and verifies it against datasets/NAME.toml.
#
#   fetch_dataset.sh                         list the corpora
#   fetch_dataset.sh NAME                    verify datasets/NAME, or say where the files are to be had
#   fetch_dataset.sh NAME SOURCE             take the files from SOURCE: a folder, or a .zip, .tar, .tar.gz or .tgz archive
#   fetch_dataset.sh --any-version NAME SOURCE   only warn where rows or checksums differ from the manifest
#
# Nothing is downloaded: licences and download forms differ, so a user fetches the corpus and this script does the rest.
# Needs bash, awk, find, sort, paste, sed, iconv, and sha256sum or shasum.
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

# An awk function for sources with CSV quoting: it takes the next field off `rest`, which ends at `separator`, and unquotes it.
quoted_fields='
  function field(   end, c, out) {
    if (substr(rest, 1, 1) != "\"") {
      end = index(rest separator, separator); out = substr(rest, 1, end - 1); rest = substr(rest, end + 1)
      return out
    }
    rest = substr(rest, 2); out = ""
    while (match(rest, /"/)) {
      out = out substr(rest, 1, RSTART - 1); c = substr(rest, RSTART + 1, 1); rest = substr(rest, RSTART + 1)
      if (c != "\"") { rest = substr(rest, 2); return out }
      out = out "\""; rest = substr(rest, 2)
    }
    return out rest
  }'

prepare_ag_news() {
  cp "$(locate derived/train_29k.csv train_29k.csv train.csv)" "$work/train.csv"
  cp "$(locate derived/test_7600.csv test_7600.csv test.csv)" "$work/test.csv"
  local split
  for split in train test; do
    # Either `label,text[,source]` with a header, or the published form: "class","title","description" without one.
    awk "$quoted_fields"'
      BEGIN { separator = "," }
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

prepare_mr() {
  local split labels texts
  for split in train test; do
    # Labels and sentences are parallel files; the sentences are in Windows-1252 and end in a space.
    labels=$(locate "pte_split/label_$split.txt" "mr/label_$split.txt" "label_$split.txt")
    texts=$(locate "pte_split/text_$split.txt" "mr/text_$split.txt" "text_$split.txt")
    iconv -f WINDOWS-1252 -t UTF-8 "$texts" | tr -d '\r' | sed 's/ *$//' > "$work/texts"
    { printf 'label\ttext\n'; tr -d '\r' < "$labels" | paste - "$work/texts"; } > "$made/$split.tsv"
  done
}

prepare_zh_chnsenticorp() {
  local split from
  for split in train dev test; do
    from=$(locate "$split.tsv")
    awk '{ sub(/\r$/, "") } NR == 1 { print "label\ttext"; next } { print }' "$from" > "$made/$split.tsv"
  done
  # Each text once, and none that is in dev or test.
  awk -F'\t' '
    FNR == 1 { if (++file == 3) print; next }
    file < 3 { known[$2]; next }
    !($2 in known) { known[$2]; print }' "$made/dev.tsv" "$made/test.tsv" "$made/train.tsv" > "$made/train_honest.tsv"
}

prepare_goemotions() {
  local split names from
  names=$(locate labels.txt emotions.txt)
  for split in train dev test; do
    from=$(locate "original/$split.tsv" "$split.tsv")
    # Text, label ids and comment id between tabs, yet with the quotes of CSV around a text that holds one.
    awk "$quoted_fields"'
      BEGIN { separator = "\t" }
      { sub(/\r$/, "") }
      NR == FNR { name[NR - 1] = $0; next }
      FNR == 1 { print "text\tlabels" }
      { rest = $0; text = field(); n = split(field(), ids, ","); labels = ""
        for (i = 1; i <= n; i++) { if (!(ids[i] in name)) exit 1; labels = labels (i > 1 ? "," : "") name[ids[i]] }
        gsub(/^ +| +$/, "", text); print text "\t" labels }
    ' "$names" "$from" > "$made/$split.tsv" || fail "\`$from\` has a label id that \`$names\` does not name" "$(value get)"
  done
}

# An awk function that writes a sentence the way the SNLI test file has it: in lower case, in the tokens of the Penn treebank,
# without the tokens that are punctuation. That file keeps hyphens, points and colons inside words, and quotes; quotes are
# dropped here, in all three files, because it does not keep all of them.
penn_words='
  function words(text,   n, i, token, out) {
    text = tolower(text)
    gsub(/``|\047\047|--+|\.\.+|["`;!?()#$%@+*\\\/]/, " ", text)
    while (match(text, /[0-9],[0-9]/)) text = substr(text, 1, RSTART) substr(text, RSTART + 2)
    gsub(/,/, " ", text)
    while (match(text, /[^0-9 ]:[^ ]|:[^0-9 ]/)) { sub(/:/, " ", text) }
    n = split(text, token, " "); out = ""
    for (i = 1; i <= n; i++) out = out " " word(token[i])
    gsub(/  +/, " ", out); gsub(/^ | $/, "", out)
    return out
  }
  function word(token,   before) {
    do {
      before = token
      sub(/^[-.:&]+/, "", token); sub(/[-:&\047]+$/, "", token)
      if (token !~ /^\047(s|d|m|re|ve|ll)$/) sub(/^\047+/, "", token)
      if (token !~ /^([a-z]\.)([a-z]\.)+$/ && token !~ /^(mr|mrs|dr|st)\.$/) sub(/\.+$/, "", token)
    } while (token != before)
    if (token == "cannot") return "can not"
    if (match(token, /.n\047t$/) || match(token, /.\047(s|d|m|re|ve|ll)$/)) return substr(token, 1, RSTART) " " substr(token, RSTART + 1)
    return token
  }'

prepare_snli() {
  local train dev test header
  train=$(locate snli/cat_train_18k.tsv cat_train_18k.tsv snli/train.csv)
  dev=$(locate snli/dev.csv dev.csv)
  test=$(locate snli/test.txt test.txt)
  header='BEGIN { print "label\tpremise\thypothesis" } { sub(/\r$/, ""); rest = $0 }'
  # A sample of the training file: label, label, premise, hypothesis between tabs, yet with the quotes of CSV.
  awk "$quoted_fields$penn_words$header"'
    BEGIN { separator = "\t"; name[1] = "neutral"; name[2] = "contradiction"; name[3] = "entailment" }
    { label = field(); field(); premise = words(field()); print name[label] "\t" premise "\t" words(field()) }
  ' "$train" > "$made/train.tsv"
  awk "$quoted_fields$penn_words$header"'
    BEGIN { separator = "," }
    NR > 1 { premise = words(field()); hypothesis = words(field()); print field() "\t" premise "\t" hypothesis }
  ' "$dev" > "$made/validation.tsv"
  awk -F'\t' "$penn_words$header"'
    BEGIN { name[0] = "entailment"; name[1] = "neutral"; name[2] = "contradiction" }
    { print name[$3] "\t" words($1) "\t" words($2) }
  ' "$test" > "$made/test.tsv"
}

prepare_mrpc() {
  local split from
  for split in train test; do
    from=$(locate "msr_paraphrase_$split.txt")
    # Unquoted, whatever the many double quotes in it look like; a byte order mark is in the header line.
    awk -F'\t' -v OFS='\t' '
      { sub(/\r$/, "") }
      NR == 1 { print "label", "first", "second"; next }
      { print $1, $4, $5 }' "$from" > "$made/$split.tsv"
  done
}

prepare_sick() {
  local from
  from=$(locate SICK.txt)
  awk -F'\t' -v OFS='\t' -v made="$made" '
    { sub(/\r$/, "") }
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i
              file["TRAIN"] = made "/train.tsv"; file["TRIAL"] = made "/validation.tsv"; file["TEST"] = made "/test.tsv"
              for (set in file) print "label", "first", "second" > file[set]
              next }
    { print tolower($at["entailment_label"]), $at["sentence_A"], $at["sentence_B"] > file[$at["SemEval_set"]] }
  ' "$from"
}

any_version=0
if [ "${1-}" = --any-version ]; then any_version=1; shift; fi
case "${1-}" in
  -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"; exit ;;
  "") for manifest in "$datasets"/*.toml; do printf '%-16s %s\n' "$(basename "$manifest" .toml)" "$(value title)"; done; exit ;;
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
