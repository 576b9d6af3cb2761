import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEditedScreen, type EditedScreen } from '../../packages/dashboard/src/edits/edited-screen.ts';
import type { Replaced } from './model/dashboard.ts';
import { runSchedule } from './model/schedule.ts';

const schedules = fc.array(fc.nat(9999), { minLength: 50, maxLength: 300, size: 'max' });

function fails(replaced: Replaced): boolean {
  const property = fc.property(schedules, (choices) => {
    runSchedule(choices, replaced);
  });
  return fc.check(property, { numRuns: 200, endOnFailure: true }).failed;
}

describe('what a dashboard shows of an appointment', () => {
  test('never goes back and ends at the last state, however live events, replays, lists and edits interleave', () => {
    const property = fc.property(schedules, (choices) => {
      runSchedule(choices);
    });
    fc.assert(property, { numRuns: 1500, endOnFailure: true });
  });

  test('negative control: goes back if snapshots are not compared', () => {
    expect(fails({ isNewer: () => true })).toBe(true);
  });

  test('negative control: shows an older state if an edit ends at the first snapshot after its commit', () => {
    expect(fails({ createEdited: endAtFirstSnapshot })).toBe(true);
  });

  test('negative control: keeps an edit that the server changed if no list is loaded', () => {
    const neverReloads: typeof createEditedScreen = (...args) =>
      Object.defineProperty(createEditedScreen(...args), 'needsList', { value: false });
    expect(fails({ createEdited: neverReloads })).toBe(true);
  });
});

/** A screen whose committed edits end at the next snapshot of their appointment. */
function endAtFirstSnapshot(...[confirmed]: Parameters<typeof createEditedScreen>): EditedScreen {
  const screen = createEditedScreen(confirmed, false);
  const committed: { id: string; end: () => void }[] = [];
  return Object.defineProperties(
    {
      ...screen,
      beginEdit(id, patch) {
        const edit = screen.beginEdit(id, patch);
        return {
          ...edit,
          hasEnded: false,
          commit() {
            edit.commit();
            committed.push({ id, end: edit.expire });
          },
        };
      },
      show(row) {
        const isNewer = screen.show(row);
        for (const { id, end } of committed) if (id === row.appointment._id) end();
        return isNewer;
      },
    } satisfies EditedScreen,
    { rows: { get: () => screen.rows } },
  );
}
