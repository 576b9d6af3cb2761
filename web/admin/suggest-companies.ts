import type { CompaniesReply } from '@appointment-emissions/contracts';
import { byId, create, setText } from '../shared/elements.ts';

const PAUSE_IN_TYPING_MS = 150;

/**
 * Suggests companies in the re-emit dialog: those whose id begins with what is typed. The API returns 20 at most, so the number of
 * companies does not matter.
 */
export function suggestCompanies(find: (prefix: string) => Promise<CompaniesReply>): void {
  const list = byId('companies', HTMLDataListElement);
  const note = byId('companies-note', HTMLElement);
  const form = byId('re-emit-dialog', HTMLDialogElement).querySelector('form');
  const field = form?.elements.namedItem('id') as HTMLInputElement;
  const whose = form?.elements.namedItem('whose') as HTMLSelectElement;
  let last = 0;

  async function update(): Promise<void> {
    const turn = (last += 1);
    if (whose.value !== 'companyId') {
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
  whose.addEventListener('change', () => void update());
  byId('open-re-emit', HTMLButtonElement).addEventListener('click', () => void update());
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
