"""The API (`/api/v1`): what may be asked, in which forms it is answered, and its one shape of errors."""
