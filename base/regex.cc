#include <string>
#include <vector>

#include <re2/re2.h>

extern "C" {
#include "base/regex.h"
}

/* The program takes up to two thirds, the cache of the matching automaton the rest; when the cache
   is full RE2 goes on without it, slower but still linear. */
static const int64_t MEMORY_BYTES_MAX = 1 << 20;

struct regex {
    explicit regex(const re2::StringPiece &pattern, const RE2::Options &options)
        : compiled(pattern, options)
    {
    }
    RE2 compiled;
};

static re2::StringPiece piece_of(str text)
{
    return re2::StringPiece(text.ptr, text.len);
}

/* What Go says where RE2 says something else, or nullptr. */
static const char *words_of_go(RE2::ErrorCode code)
{
    switch (code) {
    case RE2::ErrorMissingBracket:
        return "missing closing ]";
    case RE2::ErrorMissingParen:
        return "missing closing )";
    case RE2::ErrorUnexpectedParen:
        return "unexpected )";
    case RE2::ErrorTrailingBackslash:
        return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
        return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
        return "invalid repeat count";
    case RE2::ErrorRepeatOp:
        return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
        return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadEscape:
        return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
        return "invalid character class";
    case RE2::ErrorBadCharRange:
        return "invalid character class range";
    case RE2::ErrorBadNamedCapture:
        return "invalid named capture";
    case RE2::ErrorBadUTF8:
        return "invalid UTF-8";
    default:
        return nullptr;
    }
}

static enum status refuse(const RE2 &broken, error *err)
{
    const char *words = words_of_go(broken.error_code());
    if (words == nullptr)
        return error_set(err, STATUS_INVALID, "error parsing regexp: %s", broken.error().c_str());
    return error_set(err, STATUS_INVALID, "error parsing regexp: %s: `%s`", words,
                     broken.error_arg().c_str());
}

static bool is_name_start(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Where Go's syntax is not RE2's: "(?<name>" is written "(?P<name>" in `out`, and there is no "\C",
   one byte of a character. False when `pattern` has it. */
static bool translate(re2::StringPiece pattern, std::string *out)
{
    bool is_quoted = false;
    bool is_in_class = false;
    for (size_t i = 0; i < pattern.size(); i++) {
        out->push_back(pattern[i]);
        if (pattern[i] == '\\' && i + 1 < pattern.size()) {
            char escaped = pattern[++i];
            out->push_back(escaped);
            if (escaped == 'C' && !is_quoted)
                return false;
            if (escaped == (is_quoted ? 'E' : 'Q'))
                is_quoted = !is_quoted;
        } else if (!is_quoted && is_in_class) {
            is_in_class = pattern[i] != ']';
        } else if (!is_quoted && pattern[i] == '[') {
            is_in_class = true;
        } else if (!is_quoted && pattern.substr(i, 3) == "(?<" && i + 3 < pattern.size() &&
                   is_name_start(pattern[i + 3])) {
            out->append("?P");
            i++;
        }
    }
    return true;
}

enum status regex_new(str pattern, regex **out, error *err)
{
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    options.set_max_mem(MEMORY_BYTES_MAX);
    std::string translated;
    if (!translate(piece_of(pattern), &translated))
        return error_set(err, STATUS_INVALID,
                         "error parsing regexp: invalid escape sequence: `\\C`");
    auto *made = new regex(translated, options);
    if (!made->compiled.ok()) {
        enum status status = refuse(made->compiled, err);
        delete made;
        return status;
    }
    *out = made;
    return STATUS_OK;
}

void regex_free(regex *regex)
{
    delete regex;
}

bool regex_matches(const regex *regex, str text)
{
    return regex->compiled.Match(piece_of(text), 0, text.len, RE2::ANCHOR_BOTH, nullptr, 0);
}

static size_t group_count_of(const regex *regex)
{
    return static_cast<size_t>(regex->compiled.NumberOfCapturingGroups());
}

/* One match: the groups, [0] is the whole. A group that took no part has data() == nullptr. */
struct match {
    const RE2 &compiled;
    std::vector<re2::StringPiece> groups;
};

static void append_group(const match &found, size_t index, buffer *out)
{
    if (index < found.groups.size() && found.groups[index].data() != nullptr)
        buffer_append(out, found.groups[index].data(), found.groups[index].size());
}

/* "12" is a number; "012", "1x" and what no pattern has so many groups for are names. */
static bool parse_group_number(re2::StringPiece name, size_t *out)
{
    if (name.size() > 8 || (name[0] == '0' && name.size() > 1))
        return false;
    *out = 0;
    for (char c : name) {
        if (c < '0' || c > '9')
            return false;
        *out = *out * 10 + static_cast<size_t>(c - '0');
    }
    return true;
}

static void append_named(const match &found, re2::StringPiece name, buffer *out)
{
    size_t index;
    if (parse_group_number(name, &index)) {
        append_group(found, index, out);
        return;
    }
    const auto &names = found.compiled.NamedCapturingGroups();
    auto at = names.find(std::string(name));
    if (at != names.end())
        append_group(found, static_cast<size_t>(at->second), out);
}

/* Takes a reference, as it stands behind a '$', off the front of `text`. */
static bool take_reference(re2::StringPiece *text, re2::StringPiece *name)
{
    static const RE2 plain("([\\pL\\p{Nd}_]+)");
    static const RE2 braced("\\{([\\pL\\p{Nd}_]+)\\}");
    return RE2::Consume(text, plain, name) || RE2::Consume(text, braced, name);
}

static void append_expanded(const match &found, re2::StringPiece left, buffer *out)
{
    while (!left.empty()) {
        size_t dollar = left.find('$');
        if (dollar == re2::StringPiece::npos)
            dollar = left.size();
        buffer_append(out, left.data(), dollar);
        left.remove_prefix(dollar);
        if (left.empty())
            return;
        left.remove_prefix(1);
        re2::StringPiece name;
        if (take_reference(&left, &name)) {
            append_named(found, name, out);
            continue;
        }
        /* "$$" is one '$'; so is a '$' that nothing sensible follows */
        buffer_append_byte(out, '$');
        if (!left.empty() && left[0] == '$')
            left.remove_prefix(1);
    }
}

bool regex_expand(const regex *regex, str text, str replacement, buffer *out)
{
    match found = {regex->compiled, std::vector<re2::StringPiece>(group_count_of(regex) + 1)};
    if (!regex->compiled.Match(piece_of(text), 0, text.len, RE2::ANCHOR_BOTH, found.groups.data(),
                               static_cast<int>(found.groups.size())))
        return false;
    append_expanded(found, piece_of(replacement), out);
    return true;
}
