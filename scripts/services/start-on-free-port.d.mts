/** Starts on the given port, or on a free one; tries another where somebody else was quicker. */
export function startOnFreePort<T>(port: number | undefined, start: (port: number) => Promise<T>): Promise<T>;
