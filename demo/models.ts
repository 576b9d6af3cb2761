import { type Connection, Schema, type Types } from 'mongoose';
import { DEFAULT_DESCRIPTION } from '../src/model/default-model.ts';

const { ObjectId } = Schema.Types;
const ref = (name: string) => ({ type: ObjectId, ref: name });

interface CustomerDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  fullName: string;
  email: string;
  phone: string;
}
interface PetDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  customerId: Types.ObjectId;
  name: string;
  species: string;
  breed: string;
  size: string;
  coatType: string;
}
interface ServiceDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  name: string;
}
interface ServiceItemDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  serviceId: Types.ObjectId;
  size: string;
  coatType: string;
  price: number;
}
interface StaffDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  fullName: string;
  role: string;
}
interface AppointmentDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  customerId: Types.ObjectId;
  petId: Types.ObjectId;
  serviceId: Types.ObjectId;
  serviceItemId: Types.ObjectId;
  staffId: Types.ObjectId;
  locationId?: Types.ObjectId;
  start: Date;
  end: Date;
  status: AppointmentStatus;
  source: string;
  notes: string;
  createdAt: Date;
  updatedAt: Date;
}

export const STATUSES = [
  'scheduled',
  'checked_in',
  'in_progress',
  'completed',
  'canceled',
  'no_show',
] as const;
export type AppointmentStatus = (typeof STATUSES)[number];
/** With these the customer does not come, so the staff member's time is free. */
export const FREED_STATUSES: readonly string[] = ['canceled', 'no_show'] satisfies AppointmentStatus[];

/** `npm run db:indexes` creates collections and indexes. */
const OPTIONS = { autoIndex: false, autoCreate: false };
const company = { companyId: { type: ObjectId, required: true } };

const customerSchema = new Schema<CustomerDocument>(
  {
    ...company,
    fullName: String,
    email: String,
    phone: String,
  },
  OPTIONS,
);
const petSchema = new Schema<PetDocument>(
  {
    ...company,
    customerId: ref('Customer'),
    name: String,
    species: String,
    breed: String,
    size: String,
    coatType: String,
  },
  OPTIONS,
);
const serviceSchema = new Schema<ServiceDocument>({ ...company, name: String }, OPTIONS);
const serviceItemSchema = new Schema<ServiceItemDocument>(
  {
    ...company,
    serviceId: ref('Service'),
    size: String,
    coatType: String,
    price: Number,
  },
  OPTIONS,
);
const staffSchema = new Schema<StaffDocument>({ ...company, fullName: String, role: String }, OPTIONS);
const appointmentSchema = new Schema<AppointmentDocument>(
  {
    ...company,
    customerId: ref('Customer'),
    petId: ref('Pet'),
    serviceId: ref('Service'),
    serviceItemId: ref('ServiceItem'),
    staffId: ref('Staff'),
    locationId: ObjectId,
    start: { type: Date, required: true },
    end: { type: Date, required: true },
    status: { type: String, enum: STATUSES, default: 'scheduled' },
    source: String,
    notes: String,
  },
  { ...OPTIONS, timestamps: true },
);

/** The demo's collections. */
export const COLLECTIONS = {
  appointments: DEFAULT_DESCRIPTION.collection,
  customers: DEFAULT_DESCRIPTION.references.customerId.collection,
  pets: DEFAULT_DESCRIPTION.references.petId.collection,
  services: DEFAULT_DESCRIPTION.references.serviceId.collection,
  serviceItems: DEFAULT_DESCRIPTION.references.serviceItemId.collection,
  staff: DEFAULT_DESCRIPTION.references.staffId.collection,
} as const;

/** The mongoose models of the demo's application, on one connection. */
export function createMongooseModels(connection: Connection) {
  return {
    Appointment: connection.model('Appointment', appointmentSchema, COLLECTIONS.appointments),
    Customer: connection.model('Customer', customerSchema, COLLECTIONS.customers),
    Pet: connection.model('Pet', petSchema, COLLECTIONS.pets),
    Service: connection.model('Service', serviceSchema, COLLECTIONS.services),
    ServiceItem: connection.model('ServiceItem', serviceItemSchema, COLLECTIONS.serviceItems),
    Staff: connection.model('Staff', staffSchema, COLLECTIONS.staff),
  };
}

export type MongooseModels = ReturnType<typeof createMongooseModels>;
