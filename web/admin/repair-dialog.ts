import type { RepairReport } from '@appointment-emissions/contracts';
import { byId, create } from '../shared/elements.ts';
import { count } from './format.ts';

export interface RepairDialogDeps {
  /** Ids of the dialog, and of the button that opens it. */
  dialog: string;
  opener: string;
  /** Reads the request from the form. */
  request: (form: FormData) => Record<string, unknown>;
  send: (request: object) => Promise<RepairReport>;
  /** Past participle of the repair, such as `retried`. */
  done: string;
  writes: () => boolean;
  onDone: () => void;
}

const AGES = {
  '10m': '10 minutes',
  '1h': 'an hour',
  '6h': '6 hours',
  '1d': 'a day',
  '7d': '7 days',
  '14d': '14 days',
};

/** A dialog that runs a repair in two steps: a dry run, then the repair. */
export function createRepairDialog(deps: RepairDialogDeps) {
  const { request, send, done, writes, onDone } = deps;
  const dialog = byId(deps.dialog, HTMLDialogElement);
  const form = dialog.querySelector('form');
  const output = dialog.querySelector('output');
  const [check, run] = ['check', 'run'].map((name) =>
    dialog.querySelector<HTMLButtonElement>(`button[name=${name}]`),
  );
  if (!form || !output || !check || !run) throw new Error(`#${deps.dialog} lacks a part`);
  const since = form.elements.namedItem('since') as HTMLSelectElement;
  since.append(
    ...Object.entries(AGES).map(([age, words]) => {
      const option = create('option', '', words);
      option.value = age;
      option.selected = age === '1h';
      return option;
    }),
  );

  async function repair(dryRun: boolean): Promise<void> {
    if (!form?.reportValidity() || !output || !check || !run) return;
    check.disabled = run.disabled = true;
    output.value = dryRun ? 'Checking…' : 'Repairing…';
    try {
      const { matched, repaired } = await send({ ...request(new FormData(form)), dryRun });
      const rest = matched > repaired ? ` of ${count(matched)}` : '';
      output.value = dryRun
        ? `${count(repaired)}${rest} would be ${done}.`
        : `${count(repaired)}${rest} ${done}.`;
      run.disabled = !dryRun || repaired === 0 || !writes();
      if (!dryRun) onDone();
    } catch (error) {
      output.value = error instanceof Error ? error.message : String(error);
    }
    check.disabled = false;
  }

  check.addEventListener('click', () => void repair(true));
  run.addEventListener('click', () => void repair(false));
  form.addEventListener('input', () => {
    run.disabled = true;
    output.value = '';
  });
  byId(deps.opener, HTMLButtonElement).addEventListener('click', () => {
    output.value = '';
    run.disabled = true;
    dialog.showModal();
  });
  return { form };
}
