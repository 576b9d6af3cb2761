export * from './appointment.ts';
export * from './events.ts';
export * from './http.ts';
export * from './instant.ts';
export * from './local-time.ts';
export * from './names.ts';
export * from './operator.ts';
export * from './socket.ts';
