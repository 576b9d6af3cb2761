/** Export condition of our own packages under which their TypeScript sources are loaded: nothing has to be built first. */
export const SOURCE_CONDITION = 'appointment-emissions-source';

/** Arguments of Node that run a program from its TypeScript sources. */
export const SOURCE_ARGS = [`--conditions=${SOURCE_CONDITION}`, '--import', 'tsx'];
