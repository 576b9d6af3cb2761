import type { Redis } from 'ioredis';
import type { isAbove } from '../../../packages/dashboard/src/screen.ts';
import type { Process } from '../../dashboard/model/company.ts';
import { createDashboard } from '../../dashboard/model/dashboard.ts';
import { createRealCompany, type Weaknesses } from './real-company.ts';

const IDS = ['a', 'b'].map((letter) => letter.repeat(24));
const MAX_STEPS = 3_000;

export interface ScheduleOptions extends Weaknesses {
  /** The screen's comparison; replaced for a negative control. */
  isNewer?: typeof isAbove;
}

/**
 * Lets the choices decide who moves next, faults included; then heals everything and lets it settle.
 * @throws where a screen goes back, or does not end as the database
 */
export async function runSchedule(
  redis: Redis,
  subscriber: Redis,
  choices: readonly number[],
  { isNewer, ...weaknesses }: ScheduleOptions = {},
): Promise<void> {
  const processes: Process[] = [];
  const spawn = (process: Process) => void processes.push(process);
  const real = createRealCompany(redis, subscriber, IDS, weaknesses);
  const { company, stops } = real;
  await real.subscribe();
  const replaced = isNewer ? { isNewer } : {};
  const dashboards = [createDashboard(company, spawn, replaced), createDashboard(company, spawn, replaced)];

  const advance = (process: Process) => {
    if (process.next().done) processes.splice(processes.indexOf(process), 1);
  };
  const moves = (): (() => unknown)[] => [
    ...stops.map((_, index) => () => {
      for (const goOn of stops.splice(index, 1)) goOn();
    }),
    ...processes.map((process) => () => {
      advance(process);
    }),
    ...dashboards.flatMap((dashboard) => [...dashboard.moves(processes.length === 0)]),
  ];
  const pulse = async () => {
    await real.readHead();
    for (const dashboard of dashboards) dashboard.sendPosition();
  };
  const faults: ((dashboard: (typeof dashboards)[number], what: number) => unknown)[] = [
    (dashboard) => {
      dashboard.cut();
    },
    (dashboard) => {
      dashboard.cut();
    },
    (dashboard) => {
      dashboard.loseMessages();
    },
    (dashboard) => {
      dashboard.reload();
    },
    pulse,
    pulse,
    (dashboard) => {
      dashboard.skipGap();
    },
    () => {
      company.failNextReply();
    },
    (_, what) => real.forget(IDS[what % IDS.length]!),
    () => real.trim(),
    () => real.flush(),
    () => real.replicate(),
    () => real.replicate(),
    () => real.failOver(),
  ];

  try {
    for (const choice of choices) {
      const [kind, what] = [choice % 16, Math.floor(choice / 16)];
      if (kind < 2)
        spawn(
          company.write(IDS[what % IDS.length]!, {
            inside: Math.floor(what / 2) % 4 !== 0,
            status: 'new',
            ...(Math.floor(what / 8) % 8 === 0 && { isDeleted: true }),
          }),
        );
      else if (kind === 2) {
        const dashboard = dashboards[Math.floor(what / faults.length) % dashboards.length]!;
        await faults[what % faults.length]!(dashboard, Math.floor(what / faults.length));
      } else {
        const possible = moves();
        await possible[what % possible.length]?.();
      }
      await real.still();
    }
    for (let round = 0; round < 5; round += 1) {
      for (let steps = 0; ; steps += 1) {
        const next = moves();
        if (next.length === 0) break;
        if (steps > MAX_STEPS) throw new Error('never settles');
        await next[steps % next.length]!();
        await real.still();
      }
      await pulse();
    }
    const existing = [...company.database].filter(([, { isDeleted }]) => !isDeleted);
    const wanted = existing.map(([id, written]) => `${id} ${JSON.stringify(written)}`);
    for (const { sequence, screen } of dashboards) {
      if (sequence.state !== 'live') throw new Error(`ends ${sequence.state}`);
      const shown = [...screen.rows.values()].map(
        ({ appointment: { _id, notes } }) => `${_id} ${notes ?? ''}`,
      );
      const [shows, has] = [shown, wanted].map((rows) =>
        rows
          .filter((row) => row.includes('"inside":true'))
          .sort()
          .join(),
      );
      if (shows !== has) throw new Error(`shows ${shows ?? ''}, the database has ${has ?? ''}`);
    }
  } finally {
    await real.close();
  }
}
