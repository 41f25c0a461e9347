export { GrantRefused, type ObjectGrant, ObjectGrants } from "../../../adapters/src/files/ObjectGrants.ts"
