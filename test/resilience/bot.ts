import type { Company } from '../harness/documents.ts';
import type { World } from '../harness/world.ts';

/** Writes an appointment's notes and announces the write, as a bot does. Resolves when it was published. */
export async function announceChange(
  world: World,
  api: { url: string },
  company: Company,
  appointmentId: string,
  notes: string,
): Promise<void> {
  await company.change(appointmentId, { notes });
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  await world.jobIn(emissionId, 'completed');
}
