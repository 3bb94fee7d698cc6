"""Search: skim, classifier, friend trees and template fits."""
