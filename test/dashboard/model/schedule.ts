import { createCompany, type Process } from './company.ts';
import { createDashboard, type Replaced } from './dashboard.ts';
import { STATUSES } from './edits.ts';

const IDS = ['a', 'b', 'c'];

/**
 * Runs one schedule: each choice selects the next step or fault. Afterwards it heals all faults and runs until nothing is left to do.
 * @throws if the screen goes back, shows an older state than an edit, or does not equal the database at the end
 */
export function runSchedule(choices: readonly number[], replaced: Replaced = {}): void {
  const processes: Process[] = [];
  const spawn = (process: Process) => void processes.push(process);
  const company = createCompany(IDS);
  const dashboard = createDashboard(company, spawn, replaced);

  const advance = (process: Process) => {
    if (process.next().done) processes.splice(processes.indexOf(process), 1);
  };
  const moves = () => [
    ...processes.map((process) => () => {
      advance(process);
    }),
    ...dashboard.moves(processes.length === 0),
  ];

  for (const choice of choices) {
    const [kind, what] = [choice % 16, Math.floor(choice / 16)];
    if (kind < 4) {
      const isDeleted = Math.floor(what / 12) % 4 === 0;
      const change = { inside: Math.floor(what / 3) % 4 !== 0, status: STATUSES[Math.floor(what / 48) % 3]! };
      spawn(company.write(IDS[what % 3]!, { ...change, ...(isDeleted && { isDeleted }) }));
    } else if (kind === 4) fault(what);
    else if (kind === 5) dashboard.edit(IDS[what % 3]!, Math.floor(what / 3));
    else {
      const possible = moves();
      possible[what % possible.length]?.();
    }
    dashboard.checkEdits();
  }
  for (let round = 0; round < 5; round += 1) {
    for (let steps = 0; ; steps += 1) {
      const next = moves();
      if (next.length === 0) break;
      if (steps > 5000) throw new Error('never settles');
      next[steps % next.length]!();
      dashboard.checkEdits();
    }
    dashboard.sendPosition();
  }
  if (dashboard.sequence.state !== 'live') throw new Error(`ends in state ${dashboard.sequence.state}`);
  const shown = [...dashboard.screen.rows.values()].map(
    ({ appointment: { _id, notes, status } }) => `${_id} ${notes} ${status}`,
  );
  const wanted = [...company.database].map(
    ([id, written]) => `${id} ${JSON.stringify(written)} ${written.status}`,
  );
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
