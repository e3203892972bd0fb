package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"holdfast"
	"holdfast/internal/exposition"
)

// description is docs/openapi.yaml, as far as it is compared with the gateway.
type description struct {
	Paths      map[string]map[string]described
	Components struct {
		Parameters map[string]parameter
		Responses  map[string]response
		Schemas    map[string]*schema
	}
}

type described struct {
	Parameters []parameter
	Responses  map[string]response
}

type parameter struct {
	Ref    string `yaml:"$ref"`
	Name   string
	In     string
	Schema schema
}

type response struct {
	Ref     string `yaml:"$ref"`
	Content map[string]struct{ Schema *schema }
}

type schema struct {
	Ref        string `yaml:"$ref"`
	Type       string
	Enum       []string
	Required   []string
	Properties map[string]*schema
	Additional *schema `yaml:"additionalProperties"`
	Items      *schema
	Minimum    int
	Maximum    int
	Default    any
}

func readDescription(t *testing.T) *description {
	t.Helper()
	text, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := &description{}
	if err := yaml.Unmarshal(text, d); err != nil {
		t.Fatal(err)
	}
	return d
}

func last(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func (d *description) parameter(p parameter) parameter {
	if p.Ref != "" {
		return d.Components.Parameters[last(p.Ref)]
	}
	return p
}

func (d *description) answer(call described, status string) *schema {
	r := call.Responses[status]
	if r.Ref != "" {
		r = d.Components.Responses[last(r.Ref)]
	}
	for _, content := range r.Content {
		return content.Schema
	}
	return nil
}

// The file describes the calls that there are, and no others.
func TestDescribedCalls(t *testing.T) {
	d := readDescription(t)
	var want, got []string
	for _, call := range newRig(t, func(o *Options) { o.AdminAPI = true }).site.apiCalls() {
		want = append(want, call.method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(call.path, "{$1}"))
	}
	for path, methods := range d.Paths {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("described are\n%v, there are\n%v", got, want)
	}
}

// Each call knows the parameters that are described, with their choices and bounds.
func TestDescribedParameters(t *testing.T) {
	d := readDescription(t)
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	for path, methods := range d.Paths {
		for method, call := range methods {
			target := "/api/v1" + strings.ReplaceAll(path, "{id}", strings.Repeat("0", 32)) + "?"
			var names []string
			for _, p := range call.Parameters {
				if p = d.parameter(p); p.In != "query" {
					continue
				}
				names = append(names, p.Name)
				r.judgeParameter(method, target, p)
			}
			if len(names) == 0 {
				continue
			}
			_, known, _ := strings.Cut(r.want(400, strings.ToUpper(method), target+"nosuch=1", "").body, "only ")
			if known = strings.TrimSpace(known); known != strings.Join(names, ", ") {
				t.Errorf("%s %s: described are %v, known %s", method, path, names, known)
			}
		}
	}
}

func (r *rig) judgeParameter(method, target string, p parameter) {
	r.t.Helper()
	ask := func(value string) string {
		return r.send(strings.ToUpper(method), target+url.QueryEscape(p.Name)+"="+url.QueryEscape(value), "").body
	}
	bad := "parameter " + p.Name + ": "
	switch {
	case p.Schema.Enum != nil:
		if want := bad + `"nosuch" is none of ` + strings.Join(p.Schema.Enum, ", "); !strings.HasPrefix(ask("nosuch"), want) {
			r.t.Errorf("%s: %s, want %s", target, ask("nosuch"), want)
		}
		if p.Schema.Default != p.Schema.Enum[0] {
			r.t.Errorf("%s: the default of %s is described as %v", target, p.Name, p.Schema.Default)
		}
	case p.Schema.Type == "integer":
		most := p.Schema.Maximum
		if want := fmt.Sprintf(`%s"%d" is not a number from %d to %d`, bad, most+1, p.Schema.Minimum, most); !strings.HasPrefix(ask(fmt.Sprint(most+1)), want) {
			r.t.Errorf("%s: %s, want %s", target, ask(fmt.Sprint(most+1)), want)
		}
	}
}

// The replies have the fields that are described.
func TestDescribedFields(t *testing.T) {
	d := readDescription(t)
	replies := map[string]any{
		"Totals": totalsReply{}, "Groups": groupsReply{}, "Group": groupReply{}, "Push": pushReply{}, "Failure": failureReply{},
		"GroupDetail": groupDetail{}, "Family": familyReply{}, "Metric": metricReply{}, "Quantile": quantileReply{}, "Bucket": bucketReply{},
		"Native": nativeReply{}, "NativeBucket": nativeBucketReply{}, "Exemplar": exemplarReply{}, "Deletion": deleteReply{}, "Key": keyReply{},
		"Check": checkReply{}, "Advice": adviceReply{}, "Failures": failuresReply{}, "RefusedPush": refusedPush{},
		"Expiry": expiryReply{}, "ExpiringGroup": expiringReply{}, "BatchLine": batchLine{}, "BatchResult": batchResult{},
	}
	for name, reply := range replies {
		s := d.Components.Schemas[name]
		if s == nil {
			t.Errorf("%s is not described", name)
			continue
		}
		names, required := fields(reflect.TypeOf(reply))
		if got := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(got, slices.Sorted(slices.Values(names))) {
			t.Errorf("%s: described are %v, there are %v", name, got, names)
		}
		if got := slices.Sorted(slices.Values(s.Required)); !slices.Equal(got, slices.Sorted(slices.Values(required))) {
			t.Errorf("%s: described as always there are %v, always there are %v", name, got, required)
		}
	}
	for name := range d.Components.Schemas {
		if replies[name] == nil && name != "Labels" && name != "ReferenceFamily" {
			t.Errorf("%s is described, but no reply is known to have it", name)
		}
	}
}

// fields returns the names of a reply in JSON, and of those that are never left out.
func fields(reply reflect.Type) (names, required []string) {
	for field := range reply.Fields() {
		if field.Anonymous {
			inner, always := fields(field.Type)
			names, required = append(names, inner...), append(required, always...)
			continue
		}
		if !field.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if names = append(names, name); options == "" {
			required = append(required, name)
		}
	}
	return names, required
}

// What the calls answer is as it is described, down to each value.
func TestAnswersAreAsDescribed(t *testing.T) {
	d := readDescription(t)
	r := newIdleRig(t, holdfast.Options{Unchecked: true}, func(o *Options) {
		o.AdminAPI, o.Flags = true, map[string]string{"log.level": "info"}
	})
	r.run()
	r.want(202, "PUT", "/with/ttl=1h,every=1h/metrics/job/a", typesOfMetrics(t), protobufHeader)
	r.want(202, "PUT", "/metrics/job/b", "# TYPE h gauge\nh 1\n", "Content-Type: text/plain")
	r.want(400, "PUT", "/metrics/job/b", "holdfast_h 1\n")
	id := holdfast.NewKey(exposition.Label{Name: "job", Value: "a"}).ID().String()
	for _, call := range []struct{ method, path, target, body string }{
		{"get", "/status", "/status", ""},
		{"get", "/metrics", "/metrics", ""},
		{"get", "/groups", "/groups?limit=1", ""},
		{"get", "/groups/{id}", "/groups/" + id, ""},
		{"post", "/check", "/check?grouping=/metrics/job/c", "m 1\n"},
		{"get", "/failures", "/failures", ""},
		{"get", "/expiry", "/expiry?within=1d", ""},
		{"delete", "/groups", "/groups?dry_run=true&match[]=h", ""},
		{"post", "/push", "/push", `{"labels":{"job":"d"}}`},
	} {
		var answer any
		if err := json.Unmarshal([]byte(r.want(200, strings.ToUpper(call.method), "/api/v1"+call.target, call.body).body), &answer); err != nil {
			t.Fatal(err)
		}
		s := d.answer(d.Paths[call.path][call.method], "200")
		if s == nil {
			t.Errorf("%s %s: the answer is not described", call.method, call.path)
			continue
		}
		for problem := range d.problems(s, answer, call.path) {
			t.Error(problem)
		}
	}
}

// problems yields where a value is not as a schema has it.
func (d *description) problems(s *schema, value any, at string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if s.Ref != "" {
			s = d.Components.Schemas[last(s.Ref)]
		}
		switch v := value.(type) {
		case map[string]any:
			d.problemsOfObject(s, v, at, yield)
		case []any:
			for i, item := range v {
				if s.Items != nil {
					d.problems(s.Items, item, fmt.Sprintf("%s[%d]", at, i))(yield)
				}
			}
		}
		if kind := kindOf(value); s.Type != "" && s.Type != kind && !(s.Type == "number" && kind == "integer") {
			yield(fmt.Sprintf("%s is %s, described as %s", at, kind, s.Type))
		}
		if text, isText := value.(string); isText && s.Enum != nil && !slices.Contains(s.Enum, text) {
			yield(fmt.Sprintf("%s is %q, described as one of %v", at, text, s.Enum))
		}
	}
}

func (d *description) problemsOfObject(s *schema, object map[string]any, at string, yield func(string) bool) {
	for _, name := range s.Required {
		if _, found := object[name]; !found {
			yield(fmt.Sprintf("%s.%s is missing", at, name))
		}
	}
	for name, value := range object {
		property := s.Properties[name]
		if property == nil {
			property = s.Additional
		}
		if property == nil {
			if s.Type != "" {
				yield(fmt.Sprintf("%s.%s is not described", at, name))
			}
			continue
		}
		d.problems(property, value, at+"."+name)(yield)
	}
}

func kindOf(value any) string {
	switch v := value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case string:
		return "string"
	}
	return "null"
}
