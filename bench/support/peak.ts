/** Peak memory of processes that a benchmark starts and that are none of the engine's. */

/** A JavaScript expression for the peak memory, in bytes, of the process that evaluates it (src/engine/memory.ts says why). */
export const PEAK_BYTES =
  `(process.platform === 'linux' ? Number(/^VmHWM:\\s*(\\d+)/m.exec(` +
  `process.getBuiltinModule('node:fs').readFileSync('/proc/self/status', 'utf8'))[1]) : ` +
  `process.resourceUsage().maxRSS) * 1024`;
