package groupcache

import (
	"context"
	"fmt"
	"weak"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The name that metrics are recorded under, and those of the metrics: groupcache-go's, so that dashboards go on working.
const instrumentationName = "github.com/groupcache/groupcache-go/instrumentation/otel"

// MeterProvider exports the statistics of groups with OpenTelemetry.
type MeterProvider struct {
	underlying metric.MeterProvider
	meter      metric.Meter
}

// MeterProviderOption is a setting of a MeterProvider.
type MeterProviderOption func(*MeterProvider)

// WithMeterProvider exports through mp in place of the global provider.
func WithMeterProvider(mp metric.MeterProvider) MeterProviderOption {
	return func(m *MeterProvider) {
		if mp != nil {
			m.underlying = mp
		}
	}
}

// NewMeterProvider returns a MeterProvider for Options.MetricProvider.
func NewMeterProvider(opts ...MeterProviderOption) *MeterProvider {
	m := &MeterProvider{underlying: otel.GetMeterProvider()}
	for _, set := range opts {
		set(m)
	}
	m.meter = m.underlying.Meter(instrumentationName)
	return m
}

func (mp *MeterProvider) getMeter() metric.Meter { return mp.meter }

// meterSet makes instruments and remembers the first error.
type meterSet struct {
	meter metric.Meter
	all   []metric.Observable
	err   error
}

func (s *meterSet) counter(name, description string) metric.Int64ObservableCounter {
	if s.err != nil {
		return nil
	}
	c, err := s.meter.Int64ObservableCounter(name, metric.WithDescription(description))
	if s.err = err; err == nil {
		s.all = append(s.all, c)
	}
	return c
}

func (s *meterSet) gauge(name, description string) metric.Int64ObservableUpDownCounter {
	if s.err != nil {
		return nil
	}
	g, err := s.meter.Int64ObservableUpDownCounter(name, metric.WithDescription(description))
	if s.err = err; err == nil {
		s.all = append(s.all, g)
	}
	return g
}

// groupInstruments export GroupStats.
type groupInstruments struct {
	gets, hits, peerLoads, peerErrors, loads, loadsDeduped, localLoads, localLoadErrs metric.Int64ObservableCounter
	removeKeysRequests, removedKeys                                                   metric.Int64ObservableCounter
	latencyMax                                                                        metric.Int64ObservableUpDownCounter

	all []metric.Observable
}

func newGroupInstruments(meter metric.Meter) (*groupInstruments, error) {
	s := &meterSet{meter: meter}
	g := &groupInstruments{
		gets:               s.counter("groupcache.group.gets", "Gets, those of peers included"),
		hits:               s.counter("groupcache.group.cache_hits", "Gets that found the value in a cache"),
		peerLoads:          s.counter("groupcache.group.peer.loads", "Values that came from a peer"),
		peerErrors:         s.counter("groupcache.group.peer.errors", "Peers that could not be asked"),
		loads:              s.counter("groupcache.group.loads", "Gets that found nothing in a cache"),
		loadsDeduped:       s.counter("groupcache.group.loads.deduped", "Loads that were begun"),
		localLoads:         s.counter("groupcache.group.local.loads", "Getters that brought a value"),
		localLoadErrs:      s.counter("groupcache.group.local.load_errors", "Getters that failed"),
		latencyMax:         s.gauge("groupcache.group.peer.latency_max_ms", "The slowest answer of a peer, in milliseconds"),
		removeKeysRequests: s.counter("groupcache.group.remove_keys.requests", "Calls of RemoveKeys"),
		removedKeys:        s.counter("groupcache.group.removed_keys", "Keys in calls of RemoveKeys"),
	}
	g.all = s.all
	if s.err != nil {
		return nil, s.err
	}
	return g, nil
}

func (g *groupInstruments) observe(o metric.Observer, stats GroupStats, group metric.MeasurementOption) {
	o.ObserveInt64(g.gets, stats.Gets.Get(), group)
	o.ObserveInt64(g.hits, stats.CacheHits.Get(), group)
	o.ObserveInt64(g.peerLoads, stats.PeerLoads.Get(), group)
	o.ObserveInt64(g.peerErrors, stats.PeerErrors.Get(), group)
	o.ObserveInt64(g.loads, stats.Loads.Get(), group)
	o.ObserveInt64(g.loadsDeduped, stats.LoadsDeduped.Get(), group)
	o.ObserveInt64(g.localLoads, stats.LocalLoads.Get(), group)
	o.ObserveInt64(g.localLoadErrs, stats.LocalLoadErrs.Get(), group)
	o.ObserveInt64(g.latencyMax, stats.GetFromPeersLatencyLower.Get(), group)
	o.ObserveInt64(g.removeKeysRequests, stats.RemoveKeysRequests.Get(), group)
	o.ObserveInt64(g.removedKeys, stats.RemovedKeys.Get(), group)
}

// The instruments by name.
func (g *groupInstruments) GetsCounter() metric.Int64ObservableCounter         { return g.gets }
func (g *groupInstruments) HitsCounter() metric.Int64ObservableCounter         { return g.hits }
func (g *groupInstruments) PeerLoadsCounter() metric.Int64ObservableCounter    { return g.peerLoads }
func (g *groupInstruments) PeerErrorsCounter() metric.Int64ObservableCounter   { return g.peerErrors }
func (g *groupInstruments) LoadsCounter() metric.Int64ObservableCounter        { return g.loads }
func (g *groupInstruments) LoadsDedupedCounter() metric.Int64ObservableCounter { return g.loadsDeduped }
func (g *groupInstruments) LocalLoadsCounter() metric.Int64ObservableCounter   { return g.localLoads }
func (g *groupInstruments) LocalLoadErrsCounter() metric.Int64ObservableCounter {
	return g.localLoadErrs
}
func (g *groupInstruments) GetFromPeersLatencyMaxGauge() metric.Int64ObservableUpDownCounter {
	return g.latencyMax
}
func (g *groupInstruments) RemoveKeysRequestsCounter() metric.Int64ObservableCounter {
	return g.removeKeysRequests
}
func (g *groupInstruments) RemovedKeysCounter() metric.Int64ObservableCounter { return g.removedKeys }

// cacheInstruments export CacheStats.
type cacheInstruments struct {
	rejected, gets, hits, evictions metric.Int64ObservableCounter
	bytes, items                    metric.Int64ObservableUpDownCounter

	all []metric.Observable
}

func newCacheInstruments(meter metric.Meter) (*cacheInstruments, error) {
	s := &meterSet{meter: meter}
	c := &cacheInstruments{
		rejected:  s.counter("groupcache.cache.rejected", "Values that did not fit"),
		bytes:     s.gauge("groupcache.cache.bytes", "Bytes of keys and values"),
		items:     s.gauge("groupcache.cache.items", "Values"),
		gets:      s.counter("groupcache.cache.gets", "Lookups"),
		hits:      s.counter("groupcache.cache.hits", "Lookups that found something"),
		evictions: s.counter("groupcache.cache.evictions", "Values that left for others"),
	}
	c.all = s.all
	if s.err != nil {
		return nil, s.err
	}
	return c, nil
}

func (c *cacheInstruments) observe(o metric.Observer, stats CacheStats, tier metric.MeasurementOption) {
	o.ObserveInt64(c.rejected, stats.Rejected, tier)
	o.ObserveInt64(c.bytes, stats.Bytes, tier)
	o.ObserveInt64(c.items, stats.Items, tier)
	o.ObserveInt64(c.gets, stats.Gets, tier)
	o.ObserveInt64(c.hits, stats.Hits, tier)
	o.ObserveInt64(c.evictions, stats.Evictions, tier)
}

// The instruments by name.
func (c *cacheInstruments) RejectedCounter() metric.Int64ObservableCounter  { return c.rejected }
func (c *cacheInstruments) BytesGauge() metric.Int64ObservableUpDownCounter { return c.bytes }
func (c *cacheInstruments) ItemsGauge() metric.Int64ObservableUpDownCounter { return c.items }
func (c *cacheInstruments) GetsCounter() metric.Int64ObservableCounter      { return c.gets }
func (c *cacheInstruments) HitsCounter() metric.Int64ObservableCounter      { return c.hits }
func (c *cacheInstruments) EvictionsCounter() metric.Int64ObservableCounter { return c.evictions }

// observe registers the group with a provider, which may be nil. The provider does not keep the group alive.
func (g *group) observe(provider *MeterProvider) (unobserve func(), err error) {
	if provider == nil {
		return func() {}, nil
	}
	var registered []metric.Registration
	unobserve = func() {
		for _, r := range registered {
			_ = r.Unregister()
		}
	}
	meter, self, name := provider.getMeter(), weak.Make(g), attribute.String("group.name", g.name)
	register := func(instruments []metric.Observable, observe func(*group, metric.Observer)) error {
		r, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			if g := self.Value(); g != nil {
				observe(g, o)
			}
			return nil
		}, instruments...)
		if err == nil {
			registered = append(registered, r)
		}
		return err
	}
	failed := func(err error) (func(), error) {
		unobserve()
		return nil, fmt.Errorf("failed to register metrics for group '%s': %w", g.name, err)
	}
	inGroup, err := newGroupInstruments(meter)
	if err != nil {
		return failed(err)
	}
	ofGroup := metric.WithAttributes(name)
	if err := register(inGroup.all, func(g *group, o metric.Observer) { inGroup.observe(o, g.GroupStats(), ofGroup) }); err != nil {
		return failed(err)
	}
	inCaches, err := newCacheInstruments(meter)
	if err != nil {
		return failed(err)
	}
	for _, which := range []CacheType{MainCache, HotCache} {
		tier := "main"
		if which == HotCache {
			tier = "hot"
		}
		ofTier := metric.WithAttributes(name, attribute.String("cache.type", tier))
		if err := register(inCaches.all, func(g *group, o metric.Observer) { inCaches.observe(o, g.CacheStats(which), ofTier) }); err != nil {
			return failed(err)
		}
	}
	return unobserve, nil
}
