import { expect, test } from '@jest/globals';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freshDir } from '../../../test/harness/own-services.ts';
import { checkHistory } from './check-history.ts';
import { type History, recordHistory } from './record-history.ts';

const [OWN, OTHER] = ['65f000000000000000000001', '65f000000000000000000002'];
const APPOINTMENT = '65f0000000000000000000a1';
const EPOCH = 'abcdefghijklmnop';
const EMISSIONS = 2_000;

type Change = (history: History, step: number) => boolean;

/**
 * Records a run of one company, one socket client and one screen. Emission 7 is published again by a worker that crashed.
 * @param change  records something else at a step, and returns true
 */
async function record(change: Change = () => false): Promise<string> {
  const history = recordHistory(freshDir('history'), 4);
  for (let step = 1; step <= EMISSIONS; step += 1) {
    if (change(history, step)) continue;
    recordStep(history, step);
  }
  const again = { emissionId: 'emission-7', epoch: EPOCH, offset: EMISSIONS + 1 };
  history.logged(OWN, again, again.emissionId);
  history.received({ socket: 0, connection: 1, companyId: OWN, owner: OWN, meta: again });
  await history.close();
  return history.dir;
}

interface Over {
  offset?: number;
  owner?: string;
  version?: number;
  outcome?: 'published' | 'failed' | 'none';
}

function recordStep(history: History, step: number, over: Over = {}): void {
  const { offset = step, owner = OWN, version = step, outcome = 'published' } = over;
  const emissionId = `emission-${step}`;
  history.written(APPOINTMENT, step, OWN);
  history.accepted(emissionId);
  if (outcome !== 'none') history.ended(emissionId, outcome);
  if (outcome === 'published') {
    const meta = { emissionId, epoch: EPOCH, offset };
    history.logged(OWN, meta, emissionId);
    history.received({ socket: 0, connection: 1, companyId: OWN, owner: OWN, meta });
  }
  const appointment = { _id: APPOINTMENT, companyId: owner, notes: `v${version}` };
  history.shown({ screen: 0, companyId: OWN, appointment, origin: emissionId });
}

test('a history without a fault has no violation, and every line is counted', async () => {
  const { violations, largestPartition, ...counts } = await checkHistory(await record(), {
    duplicatesFrom: 0,
  });
  expect(violations).toEqual([]);
  expect(counts).toEqual({
    ...{ accepted: EMISSIONS, published: EMISSIONS, failed: 0, lost: 0 },
    ...{ received: EMISSIONS + 1, duplicates: 1, logged: EMISSIONS + 1, shown: EMISSIONS },
  });
  expect(largestPartition).toBeLessThan(EMISSIONS / 2);
});

test('a failed emission is no lost one', async () => {
  const dir = await record((history, step) => {
    if (step !== EMISSIONS) return false;
    recordStep(history, step, { outcome: 'failed' });
    history.logged(OWN, { epoch: EPOCH, offset: step }, 'sweep-1');
    return true;
  });
  const { violations, failed } = await checkHistory(dir);
  expect([violations, failed]).toEqual([[], 1]);
});

/** Each fault is put in once, and is the only violation. */
const FAULTS: [name: string, change: Change, violation: string][] = [
  [
    'an accepted emission that is neither published nor failed',
    at(EMISSIONS, (history) => {
      recordStep(history, EMISSIONS, { outcome: 'none' });
      history.logged(OWN, { epoch: EPOCH, offset: EMISSIONS }, 'sweep-1');
    }),
    `emission emission-${EMISSIONS} was accepted but lost`,
  ],
  [
    'a screen that goes back',
    at(50, (history) => {
      recordStep(history, 50, { version: 48 });
    }),
    `screen-0 went back from version 49 to 48 of ${APPOINTMENT}, by emission-50`,
  ],
  [
    'a screen that ends at an earlier version',
    at(EMISSIONS, (history) => {
      recordStep(history, EMISSIONS, { version: EMISSIONS - 1 });
    }),
    `screen-0 ended at version ${EMISSIONS - 1} of ${APPOINTMENT} instead of ${EMISSIONS}`,
  ],
  [
    'an appointment that a screen never showed',
    at(50, (history) => {
      recordStep(history, 50);
      history.written('65f0000000000000000000a2', 1, OWN);
    }),
    'screen-0 ended at version 0 of 65f0000000000000000000a2 instead of 1',
  ],
  [
    'a screen that shows an appointment of another company',
    at(50, (history) => {
      recordStep(history, 50, { owner: OTHER });
    }),
    'screen-0 showed an appointment of another company',
  ],
  [
    'a socket that receives an appointment of another company',
    at(EMISSIONS, (history) => {
      recordStep(history, EMISSIONS);
      const meta = { emissionId: 'emission-other', epoch: 'epoch-of-another', offset: 1 };
      history.received({ socket: 0, connection: 1, companyId: OWN, owner: OTHER, meta });
    }),
    'socket-0 received an appointment of another company',
  ],
  [
    'an offset that is skipped',
    at(50, (history) => {
      recordStep(history, 50, { outcome: 'failed' });
    }),
    `log-${OWN} of epoch ${EPOCH} has offset 51 instead of 50`,
  ],
  [
    'an offset of two emissions',
    at(50, (history) => {
      recordStep(history, 50);
      const meta = { emissionId: 'sweep-1', epoch: EPOCH, offset: 50 };
      history.received({ socket: 1, connection: 1, companyId: OWN, owner: OWN, meta });
    }),
    `${OWN}/${EPOCH}/50 is the offset of emission-50 and of sweep-1`,
  ],
  [
    'a connection that receives an offset after a later one',
    at(50, (history) => {
      recordStep(history, 50);
      const meta = { emissionId: 'emission-49', epoch: EPOCH, offset: 49 };
      history.received({ socket: 0, connection: 1, companyId: OWN, owner: OWN, meta });
    }),
    `socket-0 received offset 49 after 50 of epoch ${EPOCH}`,
  ],
  [
    'more than 0.1 % duplicates on the wire',
    at(50, (history) => {
      recordStep(history, 50);
      for (let connection = 2; connection < 6; connection += 1) {
        const meta = { emissionId: 'emission-50', epoch: EPOCH, offset: 50 };
        history.received({ socket: 0, connection, companyId: OWN, owner: OWN, meta });
      }
    }),
    `5 of ${EMISSIONS + 5} events on the wire were duplicates`,
  ],
];

function at(step: number, recordInstead: (history: History) => void): Change {
  return (history, current) => {
    if (current !== step) return false;
    recordInstead(history);
    return true;
  };
}

test.each(FAULTS)('%s is the only violation that is found', async (_name, change, violation) => {
  const { violations } = await checkHistory(await record(change), { duplicatesFrom: 0 });
  expect(violations).toEqual([violation]);
});

test('a line that was cut off is not ignored', async () => {
  const dir = await record();
  const screen = readdirSync(dir).find((name) => name.startsWith('screen-'))!;
  appendFileSync(join(dir, screen), OWN);
  expect((await checkHistory(dir)).violations).not.toEqual([]);
});
