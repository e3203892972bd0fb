package holdfast

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

// ParseSelector reads a series selector as PromQL writes it: name{label="value",other=~"a|b"}, with the
// name or the braces left out, or with quoted names inside the braces. Errors are *Refusal of kind
// Malformed and tell the place.
func ParseSelector(text string) (Selector, error) {
	p := &selectorParser{text: text}
	p.selector()
	if p.problem != "" {
		r := malformed("selector", fmt.Sprintf("selector %q: %s at character %d", text, p.problem, p.character()),
			`write it as PromQL does: {job="backup",instance=~"db-[0-9]+"} or backup_size_bytes{job!="test"}; operators are =, !=, =~ and !~`)
		return nil, r
	}
	return p.matchers, nil
}

// selectorParser reads a selector from the front. After the first problem all its steps do nothing.
type selectorParser struct {
	text     string
	at       int // byte
	matchers Selector
	named    bool
	problem  string
}

// character returns the place as people count it, from 1.
func (p *selectorParser) character() int { return utf8.RuneCountInString(p.text[:p.at]) + 1 }

func (p *selectorParser) selector() {
	if !utf8.ValidString(p.text) {
		p.fail("it is not UTF-8")
		return
	}
	p.space()
	if name := p.word(true); name != "" {
		p.name(name)
	} else if !strings.HasPrefix(p.text[p.at:], "{") {
		p.fail("expected a metric name or {, found " + p.next())
	}
	if p.take("{") {
		p.braces()
	}
	if p.problem == "" && p.at < len(p.text) {
		p.fail("expected the end, found " + p.next())
	}
}

// braces reads matchers up to the closing brace. A comma may follow the last one.
func (p *selectorParser) braces() {
	for p.problem == "" && !p.take("}") {
		p.matcher()
		if p.problem == "" && !p.take(",") && !strings.HasPrefix(p.text[p.at:], "}") {
			p.fail("expected , or }, found " + p.next())
		}
	}
}

func (p *selectorParser) matcher() {
	label, quoted := p.word(false), false
	if label == "" {
		label, quoted = p.quoted()
		if p.problem == "" && !quoted {
			p.fail("expected a label name or }, found " + p.next())
		}
	}
	if p.problem != "" {
		return
	}
	for _, op := range [...]string{"=~", "!~", "!=", "="} {
		if p.take(op) {
			p.comparison(label, op)
			return
		}
	}
	if !quoted {
		p.fail("expected =, !=, =~ or !~, found " + p.next())
		return
	}
	p.name(label)
}

func (p *selectorParser) comparison(label, op string) {
	from := p.at
	value, found := p.quoted()
	switch {
	case p.problem != "":
		return
	case !found:
		p.fail("expected a quoted value, found " + p.next())
		return
	case label == model.MetricNameLabel && p.named:
		p.fail("the metric name is given twice")
		return
	}
	m, err := newMatcher(label, op, value)
	if err != nil {
		p.at = from
		p.fail("the regular expression cannot be read (" + err.Error() + ")")
		return
	}
	p.matchers = append(p.matchers, m)
}

// name asks for a metric name.
func (p *selectorParser) name(name string) {
	if p.named {
		p.fail("the metric name is given twice")
		return
	}
	p.named = true
	p.matchers = append(p.matchers, Matcher{Label: model.MetricNameLabel, Value: name})
}

// word takes a name that needs no quotes; only those of metrics may hold colons. It returns "" where
// there is none.
func (p *selectorParser) word(metric bool) string {
	end := p.at
	for end < len(p.text) {
		c := p.text[end]
		isLetter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || metric && c == ':'
		if !isLetter && (end == p.at || c < '0' || c > '9') {
			break
		}
		end++
	}
	word := p.text[p.at:end]
	p.at = end
	p.space()
	return word
}

// quoted takes a string in double or single quotes, with Go's escapes, or in backticks, without any.
func (p *selectorParser) quoted() (text string, found bool) {
	if p.problem != "" || p.at == len(p.text) || !strings.Contains("\"'`", p.text[p.at:p.at+1]) {
		return "", false
	}
	quote := p.text[p.at]
	from := p.at + 1
	if quote == '`' {
		text, _, found = strings.Cut(p.text[from:], "`")
		if !found {
			p.fail("the quoted text has no end")
			return "", false
		}
		p.at = from + len(text) + 1
		p.space()
		return text, true
	}
	return p.unquote(quote, from)
}

func (p *selectorParser) unquote(quote byte, from int) (text string, found bool) {
	var b strings.Builder
	rest := p.text[from:]
	for rest != "" && rest[0] != quote {
		char, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			p.at = len(p.text) - len(rest)
			p.fail("the escape cannot be read")
			return "", false
		}
		if char < utf8.RuneSelf || !multibyte {
			b.WriteByte(byte(char))
		} else {
			b.WriteRune(char)
		}
		rest = tail
	}
	if rest == "" {
		p.fail("the quoted text has no end")
		return "", false
	}
	p.at = len(p.text) - len(rest) + 1
	p.space()
	return b.String(), true
}

// take takes a mark, and white space behind it, if it comes next.
func (p *selectorParser) take(mark string) bool {
	if p.problem != "" || !strings.HasPrefix(p.text[p.at:], mark) {
		return false
	}
	p.at += len(mark)
	p.space()
	return true
}

func (p *selectorParser) space() {
	p.at = len(p.text) - len(strings.TrimLeft(p.text[p.at:], " \t\r\n"))
}

// next names what comes next, for a message.
func (p *selectorParser) next() string {
	if p.at == len(p.text) {
		return "the end"
	}
	char, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return strconv.QuoteRune(char)
}

func (p *selectorParser) fail(problem string) {
	if p.problem == "" {
		p.problem = problem
	}
}
