export * from '@appointment-emissions/bot';
