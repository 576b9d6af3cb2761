import { type Collection, Types } from 'mongoose';
import type { MongooseModels } from '../../demo/models.ts';

const id = () => new Types.ObjectId();

/** The collections that documents are written to, such as those of mongoose models. */
export type DocumentCollections = Record<keyof MongooseModels, { collection: Pick<Collection, Written> }>;
type Written = 'deleteOne' | 'find' | 'insertOne' | 'updateMany' | 'updateOne';

/** Writes a company's customers, pets, services and staff, and appointments that refer to them, into a database. */
export function createDocuments<Models extends DocumentCollections>(models: Models) {
  async function company(companyId = id().toHexString()) {
    const owner = new Types.ObjectId(companyId);
    const customer = {
      _id: id(),
      companyId: owner,
      fullName: 'Ann Bauer',
      email: 'ann@example.org',
      phone: '+49 1',
    };
    const pet = {
      _id: id(),
      companyId: owner,
      customerId: customer._id,
      name: 'Rex',
      species: 'dog',
      breed: 'Poodle',
      size: 'small',
      coatType: 'curly',
    };
    const service = { _id: id(), companyId: owner, name: 'Full groom' };
    const serviceItem = {
      _id: id(),
      companyId: owner,
      serviceId: service._id,
      size: 'small',
      coatType: 'curly',
      price: 55.5,
    };
    const staff = { _id: id(), companyId: owner, fullName: 'Maya Brandt', role: 'groomer' };
    await Promise.all([
      models.Customer.collection.insertOne(customer),
      models.Pet.collection.insertOne(pet),
      models.Service.collection.insertOne(service),
      models.ServiceItem.collection.insertOne(serviceItem),
      models.Staff.collection.insertOne(staff),
    ]);

    /** Inserts an appointment and returns its id. */
    async function appointment(fields: Record<string, unknown> = {}): Promise<string> {
      const now = new Date();
      const document = {
        _id: id(),
        companyId: owner,
        customerId: customer._id,
        petId: pet._id,
        serviceId: service._id,
        serviceItemId: serviceItem._id,
        staffId: staff._id,
        locationId: id(),
        start: now,
        end: new Date(now.getTime() + 3_600_000),
        status: 'scheduled',
        source: 'instagram',
        notes: 'first visit',
        createdAt: now,
        updatedAt: now,
        ...fields,
      };
      await models.Appointment.collection.insertOne(document);
      return document._id.toHexString();
    }

    /** Writes fields of an appointment as the bot does: with a new `updatedAt`. */
    async function change(appointmentId: string, fields: Record<string, unknown>): Promise<void> {
      await models.Appointment.collection.updateOne(
        { _id: new Types.ObjectId(appointmentId) },
        { $set: { ...fields, updatedAt: new Date() } },
      );
    }

    return { companyId, customer, pet, service, serviceItem, staff, appointment, change };
  }
  /**
   * Moves appointments, by default all, to another company: their emissions then fail permanently, with COMPANY_MISMATCH.
   * Returns a function that moves them back.
   */
  async function giveAway(...appointmentIds: string[]): Promise<() => Promise<void>> {
    const { collection } = models.Appointment;
    const filter =
      appointmentIds.length === 0
        ? {}
        : { _id: { $in: appointmentIds.map((appointmentId) => new Types.ObjectId(appointmentId)) } };
    const owners = await collection.find(filter).project({ companyId: 1 }).toArray();
    await collection.updateMany(filter, { $set: { companyId: id() } });
    return async () => {
      for (const { _id, companyId } of owners) await collection.updateOne({ _id }, { $set: { companyId } });
    };
  }

  return { company, giveAway, models };
}

export type Company = Awaited<ReturnType<ReturnType<typeof createDocuments>['company']>>;
