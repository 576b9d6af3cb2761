import { AppError, errorMessage } from '../src/errors.ts';

/**
 * Why an emission failed, for the operator: a code of docs/reference/errors.md, then words. What MongoDB says is not repeated,
 * since it may quote a document.
 */
export function failureReason(error: unknown): string {
  if (error instanceof AppError) return `${error.code}: ${error.message}`;
  if (error instanceof Error && error.name.startsWith('Mongo')) {
    const { codeName } = error as { codeName?: unknown };
    return `DATABASE_ERROR: MongoDB did not give the appointment (${typeof codeName === 'string' ? codeName : error.name})`;
  }
  return `INTERNAL_ERROR: ${errorMessage(error)}`;
}
