/**
 * Whether an error is of this class of MongoDB's driver, or of a class derived from it. It compares names: an existing
 * application brings its own version of the driver, whose classes are not those of ours.
 * @example isMongoError(error, 'MongoServerError')
 */
export function isMongoError(error: unknown, className: `Mongo${string}`): boolean {
  if (!(error instanceof Error)) return false;
  for (let prototype = parentOf(error); prototype !== null; prototype = parentOf(prototype)) {
    if (prototype.constructor.name === className) return true;
  }
  return false;
}

function parentOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}
