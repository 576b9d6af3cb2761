export const SOURCE_CONDITION: string;
export const SOURCE_ARGS: string[];
