import { type Connection, Schema, type Types } from 'mongoose';
import { COLLECTIONS } from './collections.ts';

const { ObjectId } = Schema.Types;
const ref = (name: string) => ({ type: ObjectId, ref: name });

export interface CustomerDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  fullName: string;
  email: string;
  phone: string;
}
export interface PetDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  customerId: Types.ObjectId;
  name: string;
  species: string;
  breed: string;
  size: string;
  coatType: string;
}
export interface ServiceDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  name: string;
}
export interface ServiceItemDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  serviceId: Types.ObjectId;
  size: string;
  coatType: string;
  price: number;
}
export interface StaffDocument {
  _id: Types.ObjectId;
  companyId: Types.ObjectId;
  fullName: string;
  role: string;
}
export interface AppointmentDocument {
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
  status: 'scheduled' | 'canceled';
  source: string;
  notes: string;
  createdAt: Date;
  updatedAt: Date;
}

const company = { companyId: { type: ObjectId, required: true } };

const customerSchema = new Schema<CustomerDocument>({
  ...company,
  fullName: String,
  email: String,
  phone: String,
});
const petSchema = new Schema<PetDocument>({
  ...company,
  customerId: ref('Customer'),
  name: String,
  species: String,
  breed: String,
  size: String,
  coatType: String,
});
const serviceSchema = new Schema<ServiceDocument>({ ...company, name: String });
const serviceItemSchema = new Schema<ServiceItemDocument>({
  ...company,
  serviceId: ref('Service'),
  size: String,
  coatType: String,
  price: Number,
});
const staffSchema = new Schema<StaffDocument>({ ...company, fullName: String, role: String });
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
    status: { type: String, enum: ['scheduled', 'canceled'], default: 'scheduled' },
    source: String,
    notes: String,
  },
  { timestamps: true },
);
/** The list route's question: a company's appointments of a range. */
appointmentSchema.index({ companyId: 1, start: 1 });
/** The sweep's question: what was written since. */
appointmentSchema.index({ updatedAt: 1, _id: 1 });

/** Registers the bot's collections on one connection. Indexes are made by `npm run db:indexes`, never at start. */
export function createModels(connection: Connection) {
  const options = { autoIndex: false, autoCreate: false };
  for (const schema of [
    customerSchema,
    petSchema,
    serviceSchema,
    serviceItemSchema,
    staffSchema,
    appointmentSchema,
  ]) {
    schema.set('autoIndex', options.autoIndex);
    schema.set('autoCreate', options.autoCreate);
  }
  return {
    Appointment: connection.model('Appointment', appointmentSchema, COLLECTIONS.appointments),
    Customer: connection.model('Customer', customerSchema, COLLECTIONS.customers),
    Pet: connection.model('Pet', petSchema, COLLECTIONS.pets),
    Service: connection.model('Service', serviceSchema, COLLECTIONS.services),
    ServiceItem: connection.model('ServiceItem', serviceItemSchema, COLLECTIONS.serviceItems),
    Staff: connection.model('Staff', staffSchema, COLLECTIONS.staff),
  };
}

export type Models = ReturnType<typeof createModels>;
