/** The bot's collections. The one place where their names stand. */
export const COLLECTIONS = {
  appointments: 'appointments',
  customers: 'customers',
  pets: 'pets',
  services: 'services',
  serviceItems: 'serviceitems',
  staff: 'staff',
} as const;
