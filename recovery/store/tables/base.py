"""What all tables are registered in."""

from sqlalchemy import MetaData

metadata = MetaData()
