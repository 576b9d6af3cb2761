import type { Safeguard } from '../safeguard.ts';

const SAVE = 'src/redis/save-under-lease.lua';
const SWEEP = 'src/sweep/sweep.ts';

export const SWEEP_SAFEGUARDS: readonly Safeguard[] = [
  {
    safeguard: 'a sweeper that lost the lease saves no watermark',
    file: SAVE,
    find: "if redis.pcall('GET', KEYS[1]) ~= ARGV[1] or current_history() ~= ARGV[3] then",
    replace: 'if current_history() ~= ARGV[3] then',
    scenario: 'sweep, a write on time: flush',
  },
  {
    safeguard: 'after a fail-over a sweeper saves no watermark',
    file: SAVE,
    find: "if redis.pcall('GET', KEYS[1]) ~= ARGV[1] or current_history() ~= ARGV[3] then",
    replace: "if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then",
    scenario: 'sweep, a write on time: fail-over',
  },
  {
    safeguard: 'sweeps overlap',
    file: SWEEP,
    find: 'const OVERLAP_MS = 5 * 60_000;',
    replace: 'const OVERLAP_MS = 0;',
    scenario: 'sweep, a write 4 minutes late: no fault',
  },
  {
    safeguard: 'the watermark stays before a row that could not be checked',
    file: SWEEP,
    find: 'if (missed.unchecked.size > 0) unchecked ??= cursor;',
    replace: '',
    scenario: 'sweep, a write on time: unavailable',
  },
  {
    safeguard: 'a walk over the last day finds late writes',
    file: SWEEP,
    find: 'const emitted = await lookBack.step(lease.now);',
    replace: 'const emitted = 0;',
    scenario: 'sweep, a write 10 minutes late: no fault',
  },
  {
    safeguard: 'what a walk over the last day has found is searched again if the lease is lost',
    file: SWEEP,
    find: 'if (!(await lease.saveWatermark(mark))) lookBack.forget();',
    replace: 'await lease.saveWatermark(mark);',
    scenario: 'sweep, a write 10 minutes late: fail-over',
  },
  {
    safeguard: 'a row that is found twice adds one job',
    file: 'src/sweep/emit-missed.ts',
    find: 'const emissionId = `sweep-${appointmentId}-${updatedAt}`;',
    replace: 'const emissionId = `sweep-${appointmentId}-${updatedAt}-${now}`;',
    scenario: 'sweep, a write on time: no fault',
  },
  {
    safeguard: 'a lock that outlasts a lease stops no sweeper',
    file: 'src/redis/acquire-lease.lua',
    find: ' or left_ms > tonumber(ARGV[2])',
    replace: '',
    scenario: 'sweep, a write on time: clock-back',
  },
];
