-- POSTs the file $BODY as $CONTENT_TYPE and prints what load.py reads.
local file = assert(io.open(os.getenv("BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = os.getenv("CONTENT_TYPE")
file:close()

function done(summary, latency)
  local found = summary.errors
  local errors = found.connect + found.read + found.write + found.status + found.timeout
  local p50, p99 = 0, 0
  if summary.requests > 0 then
    p50, p99 = latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
  end
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors, p50, p99))
end
