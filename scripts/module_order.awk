# The order of the modules of one crate. Run as `awk -v root=DIRECTORY -f module_order.awk FILES`, on all sources below the
# directory that holds the crate's `lib.rs` or `main.rs`.
#
# A `lib.rs` or `mod.rs` lists its modules in the order of their imports: each imports only modules above it, by
# `use` or by a path in its code. What such a file defines itself, beside its list, stands below the last module that it
# uses: a module above or at that place may not use it. Tests are exempt: `tests.rs`, and what is `#[cfg(test)]`.
#
# It reads lines as rustfmt writes them, twice: first the modules and the names that they pass on, then the imports.

BEGIN {
    for (i = 1; i < ARGC; i++) if (!is_test_file(ARGV[i])) { files[++n_files] = ARGV[i]; module_of(ARGV[i]) }
    for (i = 1; i <= n_files; i++) read(files[i], 1)
    for (i = 1; i <= n_files; i++) if (is_declared(module_of(files[i]))) read(files[i], 2)
    circles()
    exit found
}

function is_test_file(file) { return file ~ /(^|\/)tests(\.rs|\/)/ }

# `crates/data/src/reader/rows.rs` is `reader::rows`; `lib.rs` is "". Notes that the module is there.
function module_of(file,    path) {
    path = substr(file, length(root) + 2)
    sub(/\.rs$/, "", path); sub(/(^|\/)(mod|lib|main)$/, "", path)
    gsub(/\//, "::", path)
    is_module[path] = 1
    return path
}

# Whether a module is in a list, and all that it is in: a list may also hold modules for tests.
function is_declared(path) { return path == "" || path in place && is_declared(parent_of(path)) }

function join_path(parent, child) { return parent == "" ? child : parent "::" child }
function parent_of(path) { return path ~ /::/ ? substr(path, 1, match(path, /::[^:]*$/) - 1) : "" }

# Reads a file: as pass 1 its list of modules and the names of its `use`s, as pass 2 its imports.
function read(file, pass,    line, number, skipped, indent, statement, at, own) {
    own = module_of(file)
    number = 0; skipped = ""; statement = ""
    while ((getline line < file) > 0) {
        number++
        sub(/(^|[ \t])\/\/.*/, "", line)
        match(line, /^ */); indent = RLENGTH
        # What is `#[cfg(test)]` ends with its line, or with the bracket below its beginning.
        if (skipped == "waits" && line !~ /^ *(#\[.*\])?$/) {
            skipped = line ~ /[;}]$/ ? "" : "to " indent
            continue
        }
        if (skipped ~ /^to /) {
            if (line ~ /^ *[})]+;?$/ && indent == substr(skipped, 4) + 0) skipped = ""
            continue
        }
        if (line ~ /^ *#\[cfg\(test\)\]/) { skipped = "waits"; continue }

        if (statement == "" && match(line, /^ *(pub(\([^)]*\))? )?use /)) { at = number; statement = " " }
        if (statement != "") {
            statement = statement line
            if (line ~ /;$/) { take_use(own, file, at, statement, pass); statement = "" }
            continue
        }
        if (match(line, /^(pub(\([^)]*\))? )?mod [a-z0-9_]+;/)) {
            sub(/^.*mod /, "", line); sub(/;.*/, "", line)
            if (pass == 1 && !(join_path(own, line) in place)) place[join_path(own, line)] = ++count[own]
            continue
        }
        if (pass == 2) take_code(own, file, number, line)
    }
    close(file)
}

# Takes a whole `use` statement apart into single paths.
function take_use(own, file, at, statement, pass,    is_public) {
    is_public = statement ~ /^ *pub/
    sub(/^ *(pub(\([^)]*\))? )?use /, "", statement); sub(/;$/, "", statement)
    gsub(/[ \t]+/, " ", statement)
    expand("", statement, own, file, at, pass, is_public)
}

# Takes apart what is behind a prefix, down to its innermost braces.
function expand(prefix, text, own, file, at, pass, is_public,    open, depth, i, c, item, name) {
    gsub(/^ +| +$/, "", text)
    open = index(text, "{")
    if (open > 0) {
        prefix = prefix substr(text, 1, open - 1)
        text = substr(text, open + 1, length(text) - open - 1)
        depth = 0; item = ""
        for (i = 1; i <= length(text); i++) {
            c = substr(text, i, 1)
            if (c == "{") depth++
            if (c == "}") depth--
            if (c == "," && depth == 0) { expand(prefix, item, own, file, at, pass, is_public); item = "" }
            else item = item c
        }
        if (item ~ /[^ ]/) expand(prefix, item, own, file, at, pass, is_public)
        return
    }
    text = prefix text
    name = text; sub(/^.* as /, "", name); sub(/ as .*/, "", text); sub(/::self$/, "", text)
    if (name !~ / /) sub(/^.*::/, "", name)
    if (pass == 1 && name == "*") globs[own] = globs[own] " " substr(text, 1, length(text) - 3)
    else if (pass == 1) { comes_from[own, name] = text; is_passed_on[own, name] = is_public }
    else import(own, file, at, text, is_public)
}

# Finds the paths in a line of code, and names that the file passes on and also uses.
function take_code(own, file, number, line,    rest, path, name) {
    gsub(/"([^"\\]|\\.)*"|#!?\[.*\]/, "", line)
    rest = line
    while (match(rest, /(^|[^A-Za-z0-9_:])[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*/)) {
        path = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
        sub(/^[^A-Za-z_]/, "", path)
        name = path; sub(/::.*/, "", name)
        if (path ~ /^(crate|super|self)::/ || path ~ /::/ && join_path(own, name) in place) import(own, file, number, path)
        else if (is_passed_on[own, name]) import(own, file, number, comes_from[own, name])
    }
}

# The module that holds what a path names, seen from a module; "?" if it is of another crate.
function holder(own, path, depth,    part, n, parts, i, cur) {
    if (depth > 20) return "?"
    n = split(path, parts, "::"); i = 1
    if (parts[1] == "crate") { cur = ""; i = 2 }
    else if (parts[1] == "self") { cur = own; i = 2 }
    else if (parts[1] == "super") { cur = own; while (parts[i] == "super") { cur = parent_of(cur); i++ } }
    else if (join_path(own, parts[1]) in is_module) cur = own
    else if ((own, parts[1]) in comes_from && comes_from[own, parts[1]] !~ "^" parts[1] "(::|$)") { cur = own }
    else return "?"
    for (; i <= n; i++) {
        if (join_path(cur, parts[i]) in is_module) cur = join_path(cur, parts[i])
        else if ((cur, parts[i]) in comes_from) {
            part = holder(cur, comes_from[cur, parts[i]], depth + 1)
            return part == "?" ? cur : part
        } else return by_glob(cur, parts[i], depth)
    }
    return cur
}

# The module that holds a name which a file passes on with all others of a module, else the file's own.
function by_glob(cur, name, depth,    i, n, parts, from) {
    n = split(globs[cur], parts, " ")
    for (i = 1; i <= n; i++) {
        from = holder(cur, parts[i], depth + 1)
        if (from != "?" && (from, name) in comes_from) return holder(from, comes_from[from, name], depth + 1)
    }
    return cur
}

# Compares the places of two modules in the list of the group that both are in. What is `passed_on` is not used.
function import(own, file, number, path, passed_on,    target, group, i, importer, imported, n, m, a, b) {
    target = holder(own, path, 0)
    if (target == "?" || target == own) return
    n = split(own, a, "::"); m = split(target, b, "::"); group = ""
    for (i = 1; i <= n && i <= m && a[i] == b[i]; i++) group = join_path(group, a[i])
    if (i > n) { # what the list's own file uses of its modules
        imported = join_path(group, b[i])
        if (!passed_on && place[imported] > place_of_own[group]) { place_of_own[group] = place[imported]; last_used[group] = imported }
        return
    }
    importer = join_path(group, a[i])
    if (i > m) { # what a module uses of a list's own file
        uses_own[++n_uses_own] = file ":" number; by[n_uses_own] = importer; owner[n_uses_own] = group
        return
    }
    imported = join_path(group, b[i])
    if (place[imported] > place[importer]) complain(file ":" number ": " own " imports " target ", which is declared below it")
}

# What a list's own file defines may be used below all that this file uses.
function circles(    i) {
    for (i = 1; i <= n_uses_own; i++)
        if (place_of_own[owner[i]] >= place[by[i]])
            complain(uses_own[i] ": " by[i] " uses what " (owner[i] == "" ? "the crate's root" : owner[i]) \
                     " defines, which itself uses " last_used[owner[i]])
}

# A problem is told once.
function complain(text) { if (!(text in told)) print text; told[text] = 1; found = 1 }
