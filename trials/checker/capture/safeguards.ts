import type { Safeguard } from '../safeguard.ts';

const SAVE = 'src/redis/save-under-lease.lua';
const CAPTURE = 'src/capture/capture.ts';

export const CAPTURE_SAFEGUARDS: readonly Safeguard[] = [
  {
    safeguard: 'an owner that lost the lease saves no token',
    file: SAVE,
    find: "if redis.pcall('GET', KEYS[1]) ~= ARGV[1] or current_history() ~= ARGV[3] then",
    replace: 'if current_history() ~= ARGV[3] then',
    scenario: 'capture, one write: flush',
  },
  {
    safeguard: 'after a fail-over an owner saves no token',
    file: SAVE,
    find: "if redis.pcall('GET', KEYS[1]) ~= ARGV[1] or current_history() ~= ARGV[3] then",
    replace: "if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then",
    scenario: 'capture, one write: fail-over',
  },
  {
    safeguard: 'a token is saved after the emissions of its changes',
    file: CAPTURE,
    find: 'on.captured(due, await whileRenewing(lease, renewEveryMs, emitting));',
    replace: 'void whileRenewing(lease, renewEveryMs, emitting).catch(() => undefined);',
    scenario: 'capture, one write: crash',
  },
  {
    safeguard: 'no token is saved that is ahead of changes in the buffer',
    file: CAPTURE,
    find: 'buffer.isEmpty() ? changes.resumeToken() : undefined',
    replace: 'changes.resumeToken()',
    scenario: 'capture, one write: crash and lease-expiry',
  },
  {
    safeguard: 'a worker that read before an equal state was found reads again',
    file: 'src/capture/compare-change.ts',
    find: '(await deps.refuseEarlierReads(companyId, appointmentId, { digest }))',
    replace: "digest !== ''",
    scenario: 'capture, changed back: no fault',
  },
  {
    safeguard: 'the token is loaded when the lease is acquired',
    file: CAPTURE,
    find: 'openOrRestart(deps, await lease.load(deps.tokenKey));',
    replace: "openOrRestart(deps, { ...(await lease.load(deps.tokenKey)), resumeToken: '' });",
    scenario: 'capture, one write: crash',
  },
  {
    safeguard: 'a lost history is reported',
    file: CAPTURE,
    find: "if (await lease.save(deps.tokenKey, { resumeToken: '' })) deps.on.restarted(error.reason);",
    replace: "await lease.save(deps.tokenKey, { resumeToken: '' });",
    scenario: 'capture, one write: lost-history',
  },
];
