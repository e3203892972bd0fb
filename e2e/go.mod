module holdfast/e2e

go 1.26.7

require (
	github.com/prometheus/client_golang v1.25.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/prometheus v0.316.0 // indirect
)
