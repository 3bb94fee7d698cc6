"""Looks over the inputs of an analysis: files, columns, events and weights."""

from quarkline.tools.doctor.examination import DoctorReport, doctor, doctor_config

__all__ = ["DoctorReport", "doctor", "doctor_config"]
