package contract

// Strict makes a JSON Schema refuse properties that it does not name, in place
// and at every depth. Objects that say themselves which further properties
// they take, and the branches of conditions, stay as they are.
func Strict(schema any) {
	object, ok := schema.(map[string]any)
	if !ok {
		return
	}
	properties, _ := object["properties"].(map[string]any)
	if _, said := object["additionalProperties"]; properties != nil && !said {
		object["additionalProperties"] = false
	}
	for _, property := range properties {
		Strict(property)
	}
	definitions, _ := object["$defs"].(map[string]any)
	for _, definition := range definitions {
		Strict(definition)
	}
	Strict(object["items"])
	Strict(object["additionalProperties"])
}
