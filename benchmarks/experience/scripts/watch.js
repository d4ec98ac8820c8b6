// Largest paint, layout shift and the slowest reaction, from the first moment of a page.
window.seen = { lcp: 0, cls: 0, slow: 0 };
const watch = (type, note, options) =>
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true, ...options });
watch("largest-contentful-paint", (entry) => { window.seen.lcp = entry.startTime; });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) window.seen.cls += entry.value; });
watch("event", (entry) => { window.seen.slow = Math.max(window.seen.slow, entry.duration); }, { durationThreshold: 16 });
