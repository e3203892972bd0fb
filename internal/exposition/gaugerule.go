package exposition

// GaugeRule is how gauges that are pushed one after the other come to one value.
type GaugeRule uint8

// The rules for gauges.
const (
	GaugeLast GaugeRule = iota // the newest value
	GaugeMax
	GaugeMin
	GaugeSum
)

// GaugeRules returns all rules by their names.
func GaugeRules() map[string]GaugeRule {
	return map[string]GaugeRule{"last": GaugeLast, "max": GaugeMax, "min": GaugeMin, "sum": GaugeSum}
}
