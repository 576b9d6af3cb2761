import type { isAbove } from '../../../packages/dashboard/src/screen.ts';
import { createCompany, type Process } from './company.ts';
import { createDashboard } from './dashboard.ts';

const IDS = ['a', 'b', 'c'];

/**
 * Runs one schedule: each choice selects the next step or fault. Afterwards it heals all faults and runs until nothing is left to do.
 * @throws if the screen goes back, or does not equal the database at the end
 */
export function runSchedule(choices: readonly number[], isNewer?: typeof isAbove): void {
  const processes: Process[] = [];
  const spawn = (process: Process) => void processes.push(process);
  const company = createCompany(IDS);
  const dashboard = createDashboard(company, spawn, isNewer);

  const advance = (process: Process) => {
    if (process.next().done) processes.splice(processes.indexOf(process), 1);
  };
  const moves = () => [
    ...processes.map((process) => () => {
      advance(process);
    }),
    ...dashboard.moves(),
  ];

  for (const choice of choices) {
    const [kind, what] = [choice % 16, Math.floor(choice / 16)];
    if (kind < 4)
      spawn(company.write(IDS[what % 3]!, Math.floor(what / 3) % 4 !== 0, Math.floor(what / 12) % 4 === 0));
    else if (kind === 4) fault(what);
    else {
      const possible = moves();
      possible[what % possible.length]?.();
    }
  }
  for (let round = 0; round < 5; round += 1) {
    for (let steps = 0; ; steps += 1) {
      const next = moves();
      if (next.length === 0) break;
      if (steps > 5000) throw new Error('never settles');
      next[steps % next.length]!();
    }
    dashboard.sendPosition();
  }
  if (dashboard.sequence.state !== 'live') throw new Error(`ends in state ${dashboard.sequence.state}`);
  const shown = [...dashboard.screen.rows.values()].map(
    ({ appointment: { _id, notes } }) => `${_id} ${notes}`,
  );
  const wanted = [...company.database].map(([id, written]) => `${id} ${JSON.stringify(written)}`);
  const inside = (row: string) => row.includes('"inside":true') && !row.includes('"isDeleted":true');
  const difference = [shown, wanted].map((rows) => rows.filter(inside).sort().join());
  if (difference[0] !== difference[1])
    throw new Error(`the screen shows ${difference[0]}, the database has ${difference[1]}`);

  function fault(what: number): void {
    const faults = [
      () => {
        dashboard.cut();
      },
      () => {
        dashboard.cut();
      },
      () => {
        dashboard.loseMessages();
      },
      () => {
        dashboard.sendPosition();
      },
      () => {
        dashboard.sendPosition();
      },
      () => {
        dashboard.reload();
      },
      () => {
        dashboard.skipGap();
      },
      () => {
        company.trim();
      },
      () => {
        company.failNextReply();
      },
      () => {
        company.failNextReply();
      },
      () => {
        company.flush();
      },
    ];
    faults[what % faults.length]!();
  }
}
