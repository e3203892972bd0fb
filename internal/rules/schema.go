package rules

import "encoding/json"

// Schema returns the JSON schema of the file, for editors. It is made of the keys that the parser reads.
func Schema() ([]byte, error) {
	schema := objectSchema(fileKeys())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Rules of Holdfast, the file of --config.file"
	text, err := json.MarshalIndent(schema, "", "  ")
	return append(text, '\n'), err
}

// objectSchema is the schema of a mapping of the given keys.
func objectSchema[T any](keys []key[T]) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, k := range keys {
		property := map[string]any{"description": k.about}
		for name, value := range k.schema {
			property[name] = value
		}
		properties[k.name] = property
		if k.required {
			required = append(required, k.name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}
