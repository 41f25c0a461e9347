/**
 * Where Podman's storage and the making of a base are, outside of the repository: `LECTERN_IMAGE_DIR`, or a place
 * that lasts.
 */
export const storageFolder = process.env["LECTERN_IMAGE_DIR"] ?? "/var/tmp/lectern-image"
