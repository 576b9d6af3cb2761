import type { Safeguard } from '../safeguard.ts';

const TAKE = 'src/accept/take-idempotency-key.lua';
const UPDATE = 'src/accept/update-idempotency-key.lua';
const IDEMPOTENCY = 'src/accept/idempotency.ts';

export const IDEMPOTENCY_SAFEGUARDS: readonly Safeguard[] = [
  {
    safeguard: 'an accepted request is repeated without another emission',
    file: TAKE,
    find: "elseif state == 'done' then",
    replace: 'elseif false then',
    scenario: 'idempotency, X X X: trimming',
  },
  {
    safeguard: 'a request is refused while another one with its key works',
    file: TAKE,
    find: "elseif is_busy then\n      reply = 'busy'",
    replace: "elseif false then\n      reply = 'busy'",
    scenario: 'idempotency, X X X: no fault',
  },
  {
    safeguard: 'a request with another body is refused',
    file: TAKE,
    find: "if (is_busy or state == 'done') and kept_body ~= body then",
    replace: 'if false then',
    scenario: 'idempotency, X X Y: no fault',
  },
  {
    safeguard: 'a repetition gets the nonce of the first attempt',
    file: TAKE,
    find: "nonce, how = kept_nonce, 'again'",
    replace: "how = 'again'",
    scenario: 'idempotency, X X X: crash',
  },
  {
    safeguard: 'a key whose request died can be taken again',
    file: TAKE,
    find: "state == 'busy' and ends > now and",
    replace: "state == 'busy' and",
    scenario: 'idempotency, X X X: crash',
  },
  {
    safeguard: 'a key can be taken again after the clock was set back',
    file: TAKE,
    find: 'and ends <= now + busy_ms',
    replace: '',
    scenario: 'idempotency, X X X: crash and clock',
  },
  {
    safeguard: 'another body does not take over which items are in the queue',
    file: TAKE,
    find: 'if kept_body == body then items = kept_items end',
    replace: 'items = kept_items',
    scenario: 'idempotency, batch other batch: crash',
  },
  {
    safeguard: 'a repetition does not add items again that are recorded',
    file: TAKE,
    find: 'if kept_body == body then items = kept_items end',
    replace: '',
    scenario: 'idempotency, batch batch batch: crash and trimming',
  },
  {
    safeguard: 'only the owner of a record replaces or removes it',
    file: UPDATE,
    find: "if type(record) ~= 'string' or string.match(record, '^busy %x+ %x+ (%x+) ') ~= ARGV[1] then",
    replace: "if type(record) ~= 'string' then",
    scenario: 'idempotency, X X X: not-found',
  },
  {
    safeguard: 'a key is not forgotten if an earlier attempt may have added an emission',
    file: IDEMPOTENCY,
    find: "const isClean = how !== 'again' && error",
    replace: 'const isClean = error',
    scenario: 'idempotency, X X X: lost-reply and not-found',
  },
  {
    safeguard: 'a key is not forgotten after an error of the queue',
    file: IDEMPOTENCY,
    find: 'error instanceof AppError && error.status < 500;',
    replace: 'error instanceof AppError;',
    scenario: 'idempotency, X X X: lost-reply',
  },
  {
    safeguard: 'emission ids depend on the body',
    file: IDEMPOTENCY,
    find: 'sha256(`${keyFingerprint}\\n${idempotencyKey}\\n${bodyHash}\\n${nonce}`);',
    replace: 'sha256(`${keyFingerprint}\\n${idempotencyKey}\\n${nonce}`);',
    scenario: 'idempotency, X Y X: lost-reply',
  },
  {
    safeguard: 'emission ids depend on the nonce',
    file: IDEMPOTENCY,
    find: 'sha256(`${keyFingerprint}\\n${idempotencyKey}\\n${bodyHash}\\n${nonce}`);',
    replace: 'sha256(`${keyFingerprint}\\n${idempotencyKey}\\n${bodyHash}`);',
    scenario: 'idempotency, X X X: expiry',
  },
  {
    safeguard: 'an accepted request is recorded',
    file: IDEMPOTENCY,
    find: 'await records.finish({ key, record: `done ${rest()}` }).catch(() => undefined);',
    replace: 'await Promise.resolve();',
    scenario: 'idempotency, X X X: no fault',
  },
];
