import type { Safeguard } from '../safeguard.ts';

const SCRIPTS = 'src/emission/scripts';
const DASHBOARD = 'packages/dashboard/src';

export const ORDER_SAFEGUARDS: readonly Safeguard[] = [
  {
    safeguard: 'a snapshot whose order token has changed is not published',
    file: `${SCRIPTS}/publish.lua`,
    find: 'passes[i] = token and (token == ARGV[first_argument(i)] or token == read_id)',
    replace: 'passes[i] = token',
    scenario: 'one company, list: no fault',
  },
  {
    safeguard: 'a published snapshot sets the order token',
    file: `${SCRIPTS}/publish.lua`,
    find: "redis.call('HSET', KEYS[i], 'token', read_id, 'updatedAt',",
    replace: "redis.call('HSET', KEYS[i], 'updatedAt',",
    scenario: 'one company, list: no fault',
  },
  {
    safeguard: 'a snapshot that was claimed in another epoch is not published',
    file: `${SCRIPTS}/publish.lua`,
    find: "local token = epoch == ARGV[8] and of_own_type('HGET', KEYS[i], 'token')",
    replace: "local token = of_own_type('HGET', KEYS[i], 'token')",
    scenario: 'one company, writes: fail-over',
  },
  {
    safeguard: 'the next offset is stored with the emission',
    file: `${SCRIPTS}/publish.lua`,
    find: "redis.call('HSET', KEYS[1], 'offset', offset + count)",
    replace: '',
    scenario: 'one company, list: no fault',
  },
  {
    safeguard: 'a snapshot whose order token has changed is not listed or replayed',
    file: `${SCRIPTS}/confirm.lua`,
    find: 'local passes = token and (token == ARGV[i + 2] or token == read_id)',
    replace: 'local passes = token',
    scenario: 'one company, list: no fault',
  },
  {
    safeguard: 'a list and a replay set the order token',
    file: `${SCRIPTS}/confirm.lua`,
    find: "redis.call('HSET', KEYS[i], 'token', read_id)",
    replace: '',
    scenario: 'one company, list: no fault',
  },
  {
    safeguard: 'a list and a replay increment `read`',
    file: `${SCRIPTS}/confirm.lua`,
    find: "redis.call('HINCRBY', KEYS[1], 'read', 1)",
    replace: "redis.call('HINCRBY', KEYS[1], 'read', 0)",
    scenario: 'one company, full: no fault',
  },
  {
    safeguard: 'a fail-over begins a new epoch',
    file: `${SCRIPTS}/position.lua`,
    find: 'if is_whole and kept[3] == history then',
    replace: 'if is_whole then',
    scenario: 'one company, writes: fail-over',
  },
  {
    safeguard: 'a new epoch has a new name',
    file: `${SCRIPTS}/position.lua`,
    find: 'local history = current_history()',
    // Unlike a random id, so that the checker does not rename it.
    replace: "local history = current_history()\n  fresh_epoch = 'the same epoch..'",
    scenario: 'one company, writes: flush',
  },
  {
    safeguard: 'an incomplete log is not replayed',
    file: `${SCRIPTS}/log-after.lua`,
    find: 'if #entries ~= offset - from then',
    replace: 'if false then',
    scenario: 'one company, writes: trimming and lost-message',
  },
  {
    safeguard: 'an emission for a company that does not own the appointment is refused',
    file: 'src/emission/emit-appointment.ts',
    find: 'if (!appointment || appointment.companyId === companyId) return undefined;',
    replace: 'if (!appointment || appointmentId === companyId || companyId) return undefined;',
    scenario: 'two companies, writes: wrong-company',
  },
  {
    safeguard: 'a list contains only snapshots of its epoch',
    file: 'src/http/routes/list-appointments.ts',
    find: 'if (rows.some(({ epoch }) => epoch !== place.epoch)) continue;',
    replace: '',
    scenario: 'one company, list: flush',
  },
  {
    safeguard: 'the screen compares offsets and reads',
    file: `${DASHBOARD}/screen.ts`,
    find: 'compareStamps(candidate, shown) > 0;',
    replace: 'compareStamps(candidate, shown) > -Infinity;',
    scenario: 'one company, list: no fault',
  },
  {
    safeguard: 'a position of another epoch leads to a catch-up',
    file: `${DASHBOARD}/sequence.ts`,
    find: '} else if (position.epoch !== this.reached.epoch || !position.recovered) this.isUnconfirmed = true;',
    replace: '} else if (position.epoch !== this.reached.epoch || !position.recovered) return;',
    scenario: 'one company, list: flush',
  },
  {
    safeguard: 'a list of another epoch is not shown over events that were shown since its request',
    file: `${DASHBOARD}/sequence.ts`,
    find: 'if (isOtherEpoch && this.shownSinceListRequest) {',
    replace: 'if (isOtherEpoch && this.maxBuffered === 0) {',
    scenario: 'one company, list: flush',
  },
  {
    safeguard: 'a live event behind a gap waits for the missing one',
    file: `${DASHBOARD}/reorder-buffer.ts`,
    find: 'isLive(event) ? offset > reached + 1 : !settled',
    replace: '!isLive(event) && !settled',
    scenario: 'one company, replay: lost-message',
  },
];
