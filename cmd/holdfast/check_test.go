package main

import (
	"bytes"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/client"
)

// A check says of a body what a push of it would say, so that the gateway reads both alike.
func TestCheckTellsWhatABodyIs(t *testing.T) {
	var delimited bytes.Buffer
	family := &dto.MetricFamily{Name: proto.String("x"), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(1)}}}}
	if _, err := protodelim.MarshalTo(&delimited, family); err != nil {
		t.Fatal(err)
	}
	for _, body := range [][]byte{[]byte("x 1\n"), delimited.Bytes()} {
		r, err := checkRequest("", nil, body)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := r.Header.Get("Content-Type"), client.ContentType(body); got != want {
			t.Errorf("body %q: Content-Type %q, want %q", body, got, want)
		}
	}
	if text, binary := client.ContentType([]byte("x 1\n")), client.ContentType(delimited.Bytes()); text == binary {
		t.Errorf("both bodies are %s", text)
	}
}
