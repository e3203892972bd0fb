package holdfast

import (
	"slices"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// escapings are the schemes under which names change.
var escapings = [...]model.EscapingScheme{model.UnderscoreEscaping, model.DotsEscaping, model.ValueEncodingEscaping}

// keyForms returns what a key becomes under each scheme where it changes: none for most keys.
func keyForms(key Key) []string {
	var forms []string
	labels := key.Labels()
	if exposition.AllPlain(labels) {
		return nil
	}
	for _, scheme := range escapings {
		if form := keyOf(exposition.EscapeLabels(labels, scheme)).canonical; !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}
