package transport

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// The name that spans are recorded under: groupcache-go's, so that dashboards go on working.
const instrumentationName = "github.com/groupcache/groupcache-go/instrumentation/otel"

// Tracer records OpenTelemetry spans for the requests of an HttpTransport.
type Tracer struct {
	traceProvider    trace.TracerProvider
	tracer           trace.Tracer
	traceAttributes  []attribute.KeyValue
	spanStartOptions slicePool[trace.SpanStartOption]
	attributes       slicePool[attribute.KeyValue]
}

// TracerOption is a setting of a Tracer.
type TracerOption func(*Tracer)

// WithTraceProvider records with tp in place of the global provider.
func WithTraceProvider(tp trace.TracerProvider) TracerOption {
	return func(t *Tracer) {
		if tp != nil {
			t.traceProvider = tp
		}
	}
}

// WithTracerAttributes adds attrs to each span of a client.
func WithTracerAttributes(attrs ...attribute.KeyValue) TracerOption {
	return func(t *Tracer) { t.traceAttributes = append(t.traceAttributes, attrs...) }
}

// NewTracer returns a Tracer.
func NewTracer(opts ...TracerOption) *Tracer {
	t := &Tracer{traceProvider: otel.GetTracerProvider()}
	for _, set := range opts {
		set(t)
	}
	t.tracer = t.traceProvider.Tracer(instrumentationName)
	return t
}

func (t *Tracer) getTracer() trace.Tracer { return t.tracer }

func (t *Tracer) getSpanStartOptions() *[]trace.SpanStartOption { return t.spanStartOptions.get() }

func (t *Tracer) putSpanStartOptions(opts *[]trace.SpanStartOption) { t.spanStartOptions.put(opts) }

func (t *Tracer) getAttributes() *[]attribute.KeyValue { return t.attributes.get() }

func (t *Tracer) putAttributes(attrs *[]attribute.KeyValue) { t.attributes.put(attrs) }

// slicePool lends empty slices with room.
type slicePool[T any] struct{ pool sync.Pool }

func (p *slicePool[T]) get() *[]T {
	if s, ok := p.pool.Get().(*[]T); ok {
		return s
	}
	s := make([]T, 0, 10)
	return &s
}

func (p *slicePool[T]) put(s *[]T) {
	clear(*s)
	*s = (*s)[:0]
	p.pool.Put(s)
}

// traced runs one call of a client inside of a span. A nil Tracer just runs it.
func (t *Tracer) traced(ctx context.Context, name string, call func(ctx context.Context) error) error {
	if t == nil {
		return call(ctx)
	}
	attrs := t.getAttributes()
	opts := t.getSpanStartOptions()
	*attrs = append(*attrs, t.traceAttributes...)
	*opts = append(*opts, trace.WithSpanKind(trace.SpanKindClient))
	if len(*attrs) > 0 {
		*opts = append(*opts, trace.WithAttributes(*attrs...))
	}
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, span := t.getTracer().Start(ctx, name, *opts...)
	defer func() {
		span.End()
		t.putSpanStartOptions(opts)
		t.putAttributes(attrs)
	}()
	err := call(ctx)
	if span.IsRecording() {
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
		} else {
			span.SetStatus(codes.Ok, "OK")
		}
	}
	return err
}
