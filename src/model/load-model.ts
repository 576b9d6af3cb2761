import { pathToFileURL } from 'node:url';
import { errorCode, errorMessage } from '../errors.ts';
import type { AppointmentModel } from './appointment-model.ts';
import { DEFAULT_MODEL } from './default-model.ts';
import { ModelError, parseModel } from './parse-model.ts';

/**
 * The model that the setting `EMISSIONS_MODEL` names, or the default.
 * @param file  path of a module, from the working directory; its default export or its export `model` is the description
 * @throws {@link ModelError} if the module cannot be loaded or its description is wrong
 */
export async function loadModel(file: string | undefined): Promise<AppointmentModel> {
  if (file === undefined) return DEFAULT_MODEL;
  const source = `EMISSIONS_MODEL ${file}`;
  let module: { default?: unknown; model?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as typeof module;
  } catch (error) {
    // The module calls fromMongoose.
    throw new ModelError(error instanceof ModelError ? error.problems : [whyNotLoaded(error)], source);
  }
  const description = module.default ?? module.model;
  if (description === undefined) {
    throw new ModelError(['the module has neither a default export nor an export named model'], source);
  }
  try {
    return parseModel(description);
  } catch (error) {
    // A getter of the description can throw anything.
    throw new ModelError(
      error instanceof ModelError
        ? error.problems
        : [`the description cannot be read: ${errorMessage(error)}`],
      source,
    );
  }
}

function whyNotLoaded(error: unknown): string {
  if (errorCode(error) === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return (
      `Node ${process.versions.node} cannot load this kind of file: name a .js or .mjs module, or run a .ts module ` +
      'with Node 22.18 or newer'
    );
  }
  return `the module cannot be loaded: ${errorMessage(error)}`;
}
