package exposition

import (
	"mime"

	"github.com/munnerz/goautoneg"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Syntax is how a family is written.
type Syntax uint8

// The syntaxes. The last two are for people to read.
const (
	Text        Syntax = iota // text/plain, version 0.0.4
	Delimited                 // protobuf, each family behind its length
	CompactText               // protobuf as text, a line for each family
	ProtoText                 // protobuf as text
)

// Format is what one scrape gets.
type Format struct {
	Syntax   Syntax
	Escaping model.EscapingScheme
}

// Negotiate chooses the format for the values of an Accept header. As in the reference only the first
// value counts, clauses are tried by their q, OpenMetrics is never chosen, and an escaping parameter
// counts from the clause where it stands on, also if that clause itself does not match.
func Negotiate(accept []string) Format {
	f := Format{Syntax: Text, Escaping: model.UnderscoreEscaping}
	if len(accept) == 0 {
		return f
	}
	for _, clause := range goautoneg.ParseAccept(accept[0]) {
		if s, err := model.ToEscapingScheme(clause.Params[model.EscapingKey]); err == nil {
			f.Escaping = s
		}
		if syntax, ok := syntaxOf(clause); ok {
			f.Syntax = syntax
			return f
		}
	}
	return f
}

// syntaxOf returns the syntax that a clause asks for.
func syntaxOf(clause goautoneg.Accept) (Syntax, bool) {
	switch clause.Type + "/" + clause.SubType {
	case expfmt.ProtoType:
		if clause.Params["proto"] != expfmt.ProtoProtocol {
			return 0, false
		}
		switch clause.Params["encoding"] {
		case "delimited":
			return Delimited, true
		case "text":
			return ProtoText, true
		case "compact-text":
			return CompactText, true
		}
	case "text/plain":
		version := clause.Params["version"]
		return Text, version == "" || version == expfmt.TextVersion
	}
	return 0, false
}

// ContentType returns the value of the Content-Type header.
func (f Format) ContentType() string {
	return string(f.withoutEscaping()) + "; escaping=" + f.Escaping.String()
}

func (f Format) withoutEscaping() expfmt.Format {
	switch f.Syntax {
	case Delimited:
		return expfmt.FmtProtoDelim
	case CompactText:
		return expfmt.FmtProtoCompact
	case ProtoText:
		return expfmt.FmtProtoText
	default:
		return expfmt.FmtText
	}
}

// IsProtobuf reports whether a pushed body of this Content-Type is delimited protobuf. All other bodies
// are text.
func IsProtobuf(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	return err == nil && media == expfmt.ProtoType &&
		params["proto"] == expfmt.ProtoProtocol && params["encoding"] == "delimited"
}
