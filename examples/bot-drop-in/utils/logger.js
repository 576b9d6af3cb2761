/** Stands for the bot's winston logger: `messageFlow` is an object with a method for each level. */
const write =
  (level) =>
  (message, fields = {}) => {
    process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
  };

export const logger = {
  messageFlow: { info: write('info'), warning: write('warning'), error: write('error') },
};
