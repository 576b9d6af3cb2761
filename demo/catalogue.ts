import { createHash } from 'node:crypto';

/** Derives an id of 24 hex characters from a name. It is the same on every machine, so repeated seeding creates no duplicates. */
export function demoId(name: string): string {
  return createHash('sha256').update(`demo grooming/${name}`).digest('hex').slice(0, 24);
}

export const DEMO_COMPANY = { id: demoId('company'), name: 'Demo Grooming' } as const;

/** Staff, customers and services of the demo company, without ids. */
export const STAFF = [
  { fullName: 'Maya Brandt', role: 'Senior groomer' },
  { fullName: 'Jonas Okafor', role: 'Groomer' },
  { fullName: 'Lena Castillo', role: 'Groomer' },
] as const;

export const CUSTOMERS = [
  {
    fullName: 'Alice Moreau',
    pet: { name: 'Biscuit', species: 'dog', breed: 'Poodle', size: 'small', coatType: 'curly' },
  },
  {
    fullName: 'Ben Novak',
    pet: { name: 'Rex', species: 'dog', breed: 'German Shepherd', size: 'large', coatType: 'double' },
  },
  {
    fullName: 'Carla Rossi',
    pet: { name: 'Miso', species: 'cat', breed: 'Maine Coon', size: 'medium', coatType: 'long' },
  },
  {
    fullName: 'David Kim',
    pet: { name: 'Pixel', species: 'dog', breed: 'Beagle', size: 'medium', coatType: 'short' },
  },
  {
    fullName: 'Ewa Kowalska',
    pet: { name: 'Fluffy', species: 'dog', breed: 'Samoyed', size: 'large', coatType: 'double' },
  },
  {
    fullName: 'Farid Haddad',
    pet: { name: 'Coco', species: 'dog', breed: 'Maltese', size: 'small', coatType: 'long' },
  },
  {
    fullName: 'Grace Osei',
    pet: { name: 'Simba', species: 'cat', breed: 'Persian', size: 'small', coatType: 'long' },
  },
  {
    fullName: 'Hugo Lind',
    pet: { name: 'Otto', species: 'dog', breed: 'Schnauzer', size: 'medium', coatType: 'wire' },
  },
] as const;

export const SERVICES = [
  { name: 'Bath & Brush', minutes: 60, price: { small: 35, medium: 45, large: 60 } },
  { name: 'Full Groom', minutes: 90, price: { small: 60, medium: 75, large: 95 } },
  { name: 'Nail Trim', minutes: 30, price: { small: 15, medium: 15, large: 20 } },
  { name: 'De-shedding', minutes: 60, price: { small: 40, medium: 55, large: 70 } },
] as const;

export const SIZES = ['small', 'medium', 'large'] as const;

export const OPENS_AT_MINUTES = 9 * 60;
export const CLOSES_AT_MINUTES = 17 * 60;
