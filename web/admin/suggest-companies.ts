import type { CompaniesReply } from '@appointment-emissions/contracts';
import { byId, create, setText } from '../shared/elements.ts';

const PAUSE_IN_TYPING_MS = 150;

export interface SuggestCompaniesDeps {
  /** Ids of the dialog, and of the button that opens it. */
  dialog: string;
  opener: string;
  find: (prefix: string) => Promise<CompaniesReply>;
}

/**
 * Suggests companies in a dialog. It offers the companies whose id begins with the text in the field. If the form has a choice
 * `whose`, it does so only for `companyId`. The API returns 20 at most, so the number of companies does not matter.
 */
export function suggestCompanies({ dialog: id, opener, find }: SuggestCompaniesDeps): void {
  const { field, list, note, whose } = partsOf(byId(id, HTMLDialogElement));
  let last = 0;

  async function update(): Promise<void> {
    const turn = (last += 1);
    if (whose && whose.value !== 'companyId') {
      list.replaceChildren();
      setText(note, '');
      return;
    }
    const prefix = field.value.trim();
    if (!/^[0-9a-f]{0,24}$/i.test(prefix)) {
      list.replaceChildren();
      setText(note, 'An id has the digits 0 to 9 and a to f only.');
      return;
    }
    const words = await find(prefix).then(
      ({ companies, hasMore }) => {
        if (turn === last) list.replaceChildren(...companies.map(toOption));
        return describe(companies.length, { hasMore, isFiltered: prefix !== '' });
      },
      (error: unknown) =>
        `The list of companies cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
    if (turn === last) setText(note, words);
  }

  let pause: ReturnType<typeof setTimeout> | undefined;
  field.addEventListener('input', () => {
    clearTimeout(pause);
    pause = setTimeout(() => void update(), PAUSE_IN_TYPING_MS);
  });
  whose?.addEventListener('change', () => void update());
  byId(opener, HTMLButtonElement).addEventListener('click', () => void update());
}

function partsOf(dialog: HTMLDialogElement) {
  const field = dialog.querySelector<HTMLInputElement>('input[list]');
  const note = dialog.querySelector<HTMLElement>('[role=status]');
  if (!field?.list || !note) throw new Error(`#${dialog.id} lacks a field with a list, or its note`);
  const whose = dialog.querySelector<HTMLSelectElement>('[name=whose]');
  return { field, list: field.list, note, whose };
}

function toOption(companyId: string): HTMLOptionElement {
  const option = create('option');
  option.value = companyId;
  return option;
}

function describe(n: number, { hasMore, isFiltered }: { hasMore: boolean; isFiltered: boolean }): string {
  if (n === 0)
    return isFiltered ? 'No company has this id and an appointment.' : 'No company has an appointment.';
  if (hasMore) return `${n} companies to choose from. Type the beginning of an id to find others.`;
  return n === 1 ? '1 company to choose from.' : `${n} companies to choose from.`;
}
