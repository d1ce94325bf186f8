/** Text of a stranger inside a message: short, on one line. */
export const shown = (text: string): string => JSON.stringify(text.slice(0, 200)).slice(1, -1);
