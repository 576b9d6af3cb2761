import type { Edit, EditedScreen } from '../../../packages/dashboard/src/edits/edited-screen.ts';
import type { Company, Process, Written } from './company.ts';

/** What the server does with an edit. */
const FATES = ['saved', 'saved', 'saved with another value', 'refused', 'saved without a reply'] as const;
/** Few values, so that edits and other writes often repeat an earlier one. */
export const STATUSES = ['scheduled', 'checked_in', 'canceled'] as const;

interface ModelEdit {
  id: string;
  status: string;
  handle: Edit;
  state: 'pending' | 'committed' | 'rolled back' | 'deleted';
  /** The version that its write created. */
  version: number;
}

/** Edits of one user, and what the screen may show of them. */
export function followEdits(screen: EditedScreen, company: Company, spawn: (process: Process) => void) {
  const edits: ModelEdit[] = [];
  const expiring: ModelEdit[] = [];

  function* commit(edit: ModelEdit, fate: (typeof FATES)[number]): Process {
    yield;
    const before = company.database.get(edit.id)!;
    const isSaved = fate !== 'refused' && !before.isDeleted;
    const status = fate === 'saved with another value' ? `${edit.status}!` : edit.status;
    if (isSaved) {
      edit.version = before.version + 1;
      spawn(company.write(edit.id, { inside: before.inside, status }));
    }
    yield;
    const isCommitted = isSaved && fate !== 'saved without a reply';
    if (isCommitted) {
      edit.handle.commit();
      expiring.push(edit);
    } else edit.handle.rollBack();
    if (edit.state === 'pending') edit.state = isCommitted ? 'committed' : 'rolled back';
  }

  return {
    edit: (id: string, what: number): void => {
      const status = STATUSES[what % 3]!;
      const edit: ModelEdit = {
        id,
        status,
        handle: screen.beginEdit(id, { status }),
        state: 'pending',
        version: Infinity,
      };
      edits.push(edit);
      spawn(commit(edit, FATES[Math.floor(what / 3) % FATES.length]!));
    },
    onDeleted: (id: string): void => {
      for (const edit of edits) if (edit.id === id) edit.state = 'deleted';
    },
    get canExpire() {
      return expiring.length > 0;
    },
    expireNext: (): void => {
      expiring.shift()!.handle.expire();
    },
    /**
     * The last edit of an appointment shows until a snapshot contains its write. Then the edit or that snapshot shows.
     * @throws if the screen shows anything else
     */
    check: (): void => {
      for (const [id, { appointment }] of screen.rows) {
        const { version, status } = JSON.parse(appointment.notes ?? '') as Written;
        const isOpen = ({ state }: ModelEdit) => state === 'pending' || state === 'committed';
        const last = edits.filter((edit) => edit.id === id && isOpen(edit)).at(-1);
        const allowed = last === undefined ? [status] : [last.status];
        if (last && last.state === 'committed' && last.version <= version) allowed.push(status);
        if (!allowed.includes(appointment.status ?? '')) {
          throw new Error(
            `${id} shows ${appointment.status} with version ${version}, instead of ${allowed.join(' or ')}`,
          );
        }
      }
    },
  };
}
